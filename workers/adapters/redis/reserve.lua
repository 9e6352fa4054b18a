-- Marks a schedule's entry as run and moves it to its next time, for the beat that holds the lock.
-- Answers "reserved", "removed" where the entry is gone, or "lost" where the lock is another's or nobody's.
local lock, entry, schedule = KEYS[1], KEYS[2], KEYS[3]
local token, run, next_at = ARGV[1], ARGV[2], ARGV[3]

if redis.call('GET', lock) ~= token then return 'lost' end
if redis.call('HEXISTS', entry, 'definition') == 0 then return 'removed' end
redis.call('HSET', entry, 'meta', run)
redis.call('ZADD', schedule, next_at, entry)
return 'reserved'
