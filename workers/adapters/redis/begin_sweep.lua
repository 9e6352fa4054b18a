-- Notes that a sweep begins, and answers since when sweeps have begun without a gap.
local sweeps = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('hash', {sweeps})
if wrong then return redis.error_reply(wrong) end
local last, since = unpack(redis.call('HMGET', sweeps, 'last', 'since'))
if not last or not since or call.at - tonumber(last) > call.gap_s then since = string.format('%.6f', call.at) end
redis.call('HSET', sweeps, 'last', string.format('%.6f', call.at), 'since', since)
return since
