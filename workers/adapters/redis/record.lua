-- Writes one entry of a deliberation with its events, its counters and its places in the index, or nothing at all:
-- what can fail comes before the first write.
-- Answers {"written"}, {"found", entry}, {"unopened"}, {"closed"}, {"void", newest token} or {"gap"}.
local deliberation, open, newest, order, bodies, put_ids, counters, continuity, awaited, of_plan = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local begins, ends = call.effect == 'open', call.effect == 'close'
local wrong = (begins or ends or #call.events > 0) and wrong_kind('zset', {open})
  or begins and wrong_kind('zset', {newest, of_plan}) -- an opening alone names of_plan
  or call.verdict_due_at ~= '' and wrong_kind('zset', {awaited})
if wrong then return redis.error_reply(wrong) end

-- What is read before the first write, or written first, is not asked for its kind: it says so itself.
local stored = redis.pcall('HMGET', deliberation, call.key, 'closed', '#fence')
if stored.err then return redis.error_reply(wrong_kind('hash', {deliberation}) or stored.err) end
local found, closed, token = unpack(stored)
if found then return {'found', found} end
-- What has a token was opened; 0.1 gave one to those alone that were being concluded.
if not begins and not token and redis.call('HEXISTS', deliberation, 'opened') == 0 then return {'unopened'} end
if closed then return {'closed'} end
token = token or '0'
if call.token ~= 0 and call.token ~= tonumber(token) then return {'void', token} end
-- An end that is to be told waits until it is known that the store has forgotten none.
if ends and #call.events > 0 then
  local run = redis.pcall('HGET', continuity, 'server')
  if type(run) == 'table' then return redis.error_reply(wrong_kind('hash', {continuity}) or run.err) end
  if run ~= server_run() then return {'gap'} end
end

local sums, too_great = sum_counters(counters, call.counters)
if not sums then return redis.error_reply(too_great) end

local _, unwritten = add_events(order, bodies, put_ids, call, false)
if unwritten then return redis.error_reply(unwritten) end

if not ends then
  local touched = redis.pcall('ZADD', open, call.now, call.id)
  if type(touched) == 'table' then return redis.error_reply(wrong_kind('zset', {open}) or touched.err) end
end
redis.call('HSET', deliberation, call.key, call.entry, unpack(begins and {'#fence', token} or {}))
if ends then
  redis.call('ZREM', open, call.id)
  redis.call('PEXPIRE', deliberation, call.kept_ms)
  if call.verdict_due_at ~= '' then redis.call('ZADD', awaited, call.verdict_due_at, call.id) end
end
if begins then
  for _, index in ipairs({newest, of_plan}) do
    redis.call('ZREMRANGEBYSCORE', index, '-inf', call.horizon)
    redis.call('ZADD', index, call.now, call.id)
    redis.call('PEXPIRE', index, call.retention_ms)
  end
end
if #sums > 0 then redis.call('HSET', counters, unpack(sums)) end
return {'written'}
