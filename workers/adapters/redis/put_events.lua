-- Puts events in the outbox whose ids were not put within retention; answers the ids that are new.
local order, bodies, put_ids = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('zset', {order, put_ids}) or wrong_kind('hash', {bodies})
if wrong then return redis.error_reply(wrong) end
return add_events(order, bodies, put_ids, call, true)
