-- Answers nothing where this run of the server was compared with the streams, which is noted as known until now; else
-- the run, and until when the store is known to be whole, 0 for never.
local continuity = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('hash', {continuity})
if wrong then return redis.error_reply(wrong) end
local run = server_run()
local known, whole_at = unpack(redis.call('HMGET', continuity, 'server', 'whole_at'))
if known ~= run then return {run, whole_at or '0'} end
redis.call('HSET', continuity, 'whole_at', call.now)
return false
