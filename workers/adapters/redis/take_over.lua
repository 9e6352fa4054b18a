-- Raises the fencing token of an opened deliberation and touches it in the index; answers 0 if it was not opened.
local deliberation, open = unpack(KEYS)
local call = cjson.decode(ARGV[1])

-- Neither key is asked for its kind: the first command on each says so itself.
local opened = redis.pcall('HEXISTS', deliberation, 'opened')
if type(opened) == 'table' then return redis.error_reply(wrong_kind('hash', {deliberation}) or opened.err) end
if opened == 0 then return 0 end
local token = redis.call('HINCRBY', deliberation, '#fence', 1)
if redis.call('HEXISTS', deliberation, 'closed') == 0 then
  local touched = redis.pcall('ZADD', open, call.now, call.id)
  if type(touched) == 'table' then
    redis.call('HINCRBY', deliberation, '#fence', -1)
    return redis.error_reply(wrong_kind('zset', {open}) or touched.err)
  end
end
return token
