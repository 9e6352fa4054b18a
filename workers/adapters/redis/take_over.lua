-- Raises the fencing token of an opened deliberation and touches it in the index; answers 0 if it was not opened.
local deliberation, open = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('hash', {deliberation}) or wrong_kind('zset', {open})
if wrong then return redis.error_reply(wrong) end
if redis.call('HEXISTS', deliberation, 'opened') == 0 then return 0 end
local token = redis.call('HINCRBY', deliberation, '#fence', 1)
if redis.call('HEXISTS', deliberation, 'closed') == 0 then redis.call('ZADD', open, call.now, call.id) end
return token
