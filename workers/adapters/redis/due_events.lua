-- Answers the bodies of the oldest events in the outbox that are not postponed beyond now.
local order, bodies, postponed = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('zset', {order, postponed}) or wrong_kind('hash', {bodies})
if wrong then return redis.error_reply(wrong) end
redis.call('ZREMRANGEBYSCORE', postponed, '-inf', call.now)
local found = {}
-- Each postponed event may stand before one that is due.
for _, event_id in ipairs(redis.call('ZRANGE', order, 0, call.limit + redis.call('ZCARD', postponed) - 1)) do
  if #found == call.limit then break end
  if not redis.call('ZSCORE', postponed, event_id) then
    found[#found + 1] = redis.call('HGET', bodies, event_id)
  end
end
return found
