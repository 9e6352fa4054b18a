-- Notes that the given run of the server was compared with the streams; answers 0 where this is another run.
local continuity = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('hash', {continuity})
if wrong then return redis.error_reply(wrong) end
if server_run() ~= call.server then return 0 end
redis.call('HSET', continuity, 'server', call.server, 'whole_at', call.now)
return 1
