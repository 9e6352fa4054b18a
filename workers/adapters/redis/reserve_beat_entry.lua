-- Marks a beat entry as run and moves it to its next time, for the beat that holds the lock.
-- Answers "reserved", "removed" where the entry is gone, "lost" where the lock ran out or another beat holds it.
local lock, entry, schedule = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('hash', {entry}) or wrong_kind('zset', {schedule})
if wrong then return redis.error_reply(wrong) end
if redis.call('GET', lock) ~= call.token then return 'lost' end
if redis.call('HEXISTS', entry, 'definition') == 0 then return 'removed' end
redis.call('HSET', entry, 'meta', call.run)
redis.call('ZADD', schedule, call.next_at, entry)
return 'reserved'
