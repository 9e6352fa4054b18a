-- Answers the requests that were saved or taken before a moment, oldest first, and counts them as taken now.
local undispatched = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local found = redis.call('ZRANGEBYSCORE', undispatched, '-inf', '(' .. call.before, 'LIMIT', 0, call.limit)
for _, id in ipairs(found) do redis.call('ZADD', undispatched, 'XX', call.now, id) end
return found
