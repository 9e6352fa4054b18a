-- Answers nothing where this run of the server was compared with the streams, which is noted as known until now; else
-- the run, and until when the store is known to be whole, 0 for never.
local continuity = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local stored = redis.pcall('HMGET', continuity, 'server', 'whole_at')
if stored.err then return redis.error_reply(wrong_kind('hash', {continuity}) or stored.err) end
local run, known, whole_at = server_run(), unpack(stored)
if known ~= run then return {run, whole_at or '0'} end
redis.call('HSET', continuity, 'whole_at', call.now)
return false
