-- Raises the fencing token of an opened deliberation and touches it in the index; answers 0 if it was not opened.
local deliberation, open = unpack(KEYS)
local call = cjson.decode(ARGV[1])

-- Neither key is asked for its kind: the first command on each says so itself.
local stored = redis.pcall('HMGET', deliberation, '#fence', 'closed')
if stored.err then return redis.error_reply(wrong_kind('hash', {deliberation}) or stored.err) end
local token, closed = unpack(stored)
-- What has a token was opened; 0.1 gave one to those alone that were being concluded.
if not token and redis.call('HEXISTS', deliberation, 'opened') == 0 then return 0 end
local raised = redis.call('HINCRBY', deliberation, '#fence', 1)
if not closed then
  local touched = redis.pcall('ZADD', open, call.now, call.id)
  if type(touched) == 'table' then
    redis.call('HINCRBY', deliberation, '#fence', -1)
    return redis.error_reply(wrong_kind('zset', {open}) or touched.err)
  end
end
return raised
