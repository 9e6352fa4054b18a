-- Writes one entry of a deliberation with its events and its places in the indexes, or nothing at all.
-- Answers {"written"}, {"stands", entry}, {"unopened"}, {"closed"} or {"void", newest fence}.
local deliberation, open, newest = KEYS[1], KEYS[2], KEYS[3]
local order, bodies, known = KEYS[4], KEYS[5], KEYS[6]
local tally = KEYS[7]
local of_plan = KEYS[8] -- given with an opening only
local id, field, entry, effect = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local fence, now, horizon, retention_ms = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local counted = tonumber(ARGV[9]) -- counters that follow, as name and number
local FIRST_EVENT = 10 + 2 * counted

local standing = redis.call('HGET', deliberation, field)
if standing then return {'stands', standing} end
if effect ~= 'open' and redis.call('HEXISTS', deliberation, 'opened') == 0 then return {'unopened'} end
if redis.call('HEXISTS', deliberation, 'closed') == 1 then return {'closed'} end
local valid = redis.call('HGET', deliberation, '#fence') or '0'
if fence ~= '0' and fence ~= valid then return {'void', valid} end

redis.call('HSET', deliberation, field, entry)
if effect == 'close' then
  redis.call('ZREM', open, id)
  redis.call('PEXPIRE', deliberation, retention_ms)
else
  redis.call('ZADD', open, now, id)
end
if effect == 'open' then
  for _, index in ipairs({newest, of_plan}) do
    redis.call('ZREMRANGEBYSCORE', index, '-inf', horizon)
    redis.call('ZADD', index, now, id)
    redis.call('PEXPIRE', index, retention_ms)
  end
end

for i = 10, FIRST_EVENT - 1, 2 do redis.call('HINCRBY', tally, ARGV[i], ARGV[i + 1]) end

redis.call('ZREMRANGEBYSCORE', known, '-inf', horizon)
for i = FIRST_EVENT, #ARGV, 3 do
  local event_id, occurred_at, body = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if redis.call('HSETNX', bodies, event_id, body) == 1 then redis.call('ZADD', order, occurred_at, event_id) end
  redis.call('ZADD', known, now, event_id)
  redis.call('PEXPIRE', known, retention_ms)
end
return {'written'}
