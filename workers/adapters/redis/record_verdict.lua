-- Writes one verdict with its events and its counters, or nothing at all: what can fail comes before the first write.
-- The deliberation and the continuity are arguments and no keys: whoever takes verdicts in may only read them, and a
-- key of a script is one that it may write.
-- Answers {"written"}, {"found", verdict}, {"unended"}, {"changed"} or {"gap"}.
local verdicts, awaiting, counters, order, bodies, put_ids = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('hash', {verdicts, counters, call.deliberation, call.continuity})
  or wrong_kind('zset', {awaiting})
if wrong then return redis.error_reply(wrong) end

local found = redis.call('HGET', verdicts, call.id)
if found then return {'found', found} end
if redis.call('HEXISTS', call.deliberation, 'closed') == 0 then return {'unended'} end
if redis.call('HLEN', verdicts) ~= call.after then return {'changed'} end
-- What is to be told waits until it is known that the store has forgotten nothing that was.
if #call.events > 0 and not call.compared and redis.call('HGET', call.continuity, 'server') ~= server_run() then
  return {'gap'}
end
local sums, too_great = sum_counters(counters, call.counters)
if not sums then return redis.error_reply(too_great) end

local _, unwritten = add_events(order, bodies, put_ids, call, false)
if unwritten then return redis.error_reply(unwritten) end
redis.call('HSET', verdicts, call.id, call.verdict)
redis.call('PEXPIRE', verdicts, math.max(1, redis.call('PTTL', call.deliberation)))
if call.settles then redis.call('ZREM', awaiting, call.deliberation_id) end
if #sums > 0 then redis.call('HSET', counters, unpack(sums)) end
return {'written'}
