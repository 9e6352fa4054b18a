-- Keeps a plan request as its plan's latest and as one to be dispatched; answers the one that is kept already.
local request, latest, undispatched = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('string', {request, latest}) or wrong_kind('zset', {undispatched})
if wrong then return redis.error_reply(wrong) end
if redis.call('SET', request, call.request, 'NX', 'PX', call.retention_ms) then
  redis.call('SET', latest, call.id, 'PX', call.retention_ms)
  redis.call('ZADD', undispatched, call.now, call.id)
  return false
end
return redis.call('GET', request)
