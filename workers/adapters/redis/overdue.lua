-- Returns what was put or taken before a moment, oldest first, and counts it as taken now.
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[3])
for _, id in ipairs(found) do redis.call('ZADD', KEYS[1], 'XX', ARGV[2], id) end
return found
