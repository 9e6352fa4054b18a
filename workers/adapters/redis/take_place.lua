-- Gives a plan request one of its publisher's places, or lets it wait for one, out of the undispatched ones and without
-- expiry. Answers "taken", "queued" where it waits from now on, "waiting" where it waits since before.
local undispatched, places, waiting, publishers, request = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('zset', {undispatched, places, waiting}) or wrong_kind('set', {publishers})
if wrong then return redis.error_reply(wrong) end
if redis.call('ZSCORE', places, call.id) then return 'taken' end
if redis.call('ZSCORE', waiting, call.id) then
  redis.call('ZREM', undispatched, call.id)
  return 'waiting'
end
redis.call('SADD', publishers, call.publisher)
if redis.call('ZCARD', waiting) == 0 and redis.call('ZCARD', places) < call.limit then
  redis.call('ZADD', places, call.now, call.id)
  return 'taken'
end
redis.call('ZADD', waiting, call.order, call.id)
redis.call('ZREM', undispatched, call.id)
redis.call('PERSIST', request)
return 'queued'
