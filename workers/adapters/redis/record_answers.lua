-- Writes entries of an open deliberation that neither begin nor end it and have no events, each where its key is free.
-- Answers {"stand", the entry that was there or false, …} in their order, {"unopened"}, {"closed"} or
-- {"void", newest token}; nothing is written then.
local deliberation, open = unpack(KEYS)
local call = cjson.decode(ARGV[1])

-- Neither key is asked for its kind: these commands read the one and write the other first, and say so themselves.
local names = {'closed', '#fence'}
for _, entry in ipairs(call.entries) do names[#names + 1] = entry.key end
local stored = redis.pcall('HMGET', deliberation, unpack(names))
if stored.err then return redis.error_reply(wrong_kind('hash', {deliberation}) or stored.err) end
local closed, token = stored[1], stored[2]

local answer, fields = {'stand'}, {}
for number, entry in ipairs(call.entries) do
  local found = stored[number + 2]
  answer[number + 1] = found
  if not found then
    fields[#fields + 1] = entry.key
    fields[#fields + 1] = entry.entry
  end
end
if #fields == 0 then return answer end
-- What has a token was opened; 0.1 gave one to those alone that were being concluded.
if not token and redis.call('HEXISTS', deliberation, 'opened') == 0 then return {'unopened'} end
if closed then return {'closed'} end
if call.token ~= 0 and call.token ~= tonumber(token or '0') then return {'void', token or '0'} end

local touched = redis.pcall('ZADD', open, call.now, call.id)
if type(touched) == 'table' then return redis.error_reply(wrong_kind('zset', {open}) or touched.err) end
redis.call('HSET', deliberation, unpack(fields))
return answer
