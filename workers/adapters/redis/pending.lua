-- Answers the bodies of the oldest events in the outbox, read at one moment.
local found = {}
for _, event_id in ipairs(redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[1]) - 1)) do
  found[#found + 1] = redis.call('HGET', KEYS[2], event_id)
end
return found
