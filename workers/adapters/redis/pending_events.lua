-- Answers the bodies of the oldest events in the outbox, read at one moment.
local order, bodies = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local found = {}
for _, event_id in ipairs(redis.call('ZRANGE', order, 0, call.limit - 1)) do
  found[#found + 1] = redis.call('HGET', bodies, event_id)
end
return found
