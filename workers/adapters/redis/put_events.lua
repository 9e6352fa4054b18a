-- Puts events in the outbox whose ids were not put within retention; answers the ids that are new.
local order, bodies, put_ids = unpack(KEYS)

local new, wrong = add_events(order, bodies, put_ids, cjson.decode(ARGV[1]), true)
return new or redis.error_reply(wrong)
