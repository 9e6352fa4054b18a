-- Gives a publisher's free places (all that are asked for where limit is 0) to those of its plan requests that wait, in
-- their order; these are undispatched again. Answers their ids.
local undispatched, places, waiting, publishers = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('zset', {undispatched, places, waiting}) or wrong_kind('set', {publishers})
if wrong then return redis.error_reply(wrong) end
local given = {}
local number = redis.call('ZCARD', waiting)
if call.limit > 0 then number = math.min(number, call.limit - redis.call('ZCARD', places)) end
for _, id in ipairs(number > 0 and redis.call('ZRANGE', waiting, 0, number - 1) or {}) do
  redis.call('ZREM', waiting, id)
  redis.call('ZADD', places, call.now, id)
  redis.call('ZADD', undispatched, call.now, id)
  given[#given + 1] = id
end
if redis.call('ZCARD', places) == 0 and redis.call('ZCARD', waiting) == 0 then
  redis.call('SREM', publishers, call.publisher)
end
return given
