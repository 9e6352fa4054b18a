-- Puts events in the outbox whose ids were never put within retention; answers the ids that are new.
local order, bodies, known = KEYS[1], KEYS[2], KEYS[3]
local now, horizon, retention_ms = ARGV[1], ARGV[2], ARGV[3]
local FIRST_EVENT = 4

redis.call('ZREMRANGEBYSCORE', known, '-inf', horizon)
local new = {}
for i = FIRST_EVENT, #ARGV, 3 do
  local event_id, occurred_at, body = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if not redis.call('ZSCORE', known, event_id) and redis.call('HSETNX', bodies, event_id, body) == 1 then
    redis.call('ZADD', order, occurred_at, event_id)
    redis.call('ZADD', known, now, event_id)
    redis.call('PEXPIRE', known, retention_ms)
    new[#new + 1] = event_id
  end
end
return new
