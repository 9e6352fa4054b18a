-- Keeps a plan request as its plan's latest and as one to be dispatched; answers the one that is kept already.
local request, latest, undispatched = unpack(KEYS)
local call = cjson.decode(ARGV[1])

-- SET writes over whatever there is; the other keys' commands say themselves where they hold something else.
local wrong = wrong_kind('string', {latest})
if wrong then return redis.error_reply(wrong) end
if not redis.call('SET', request, call.request, 'NX', 'PX', call.retention_ms) then
  local kept = redis.pcall('GET', request)
  return type(kept) == 'table' and redis.error_reply(wrong_kind('string', {request}) or kept.err) or kept
end
local waits = redis.pcall('ZADD', undispatched, call.now, call.id)
if type(waits) == 'table' then
  redis.call('DEL', request)
  return redis.error_reply(wrong_kind('zset', {undispatched}) or waits.err)
end
redis.call('SET', latest, call.id, 'PX', call.retention_ms)
return false
