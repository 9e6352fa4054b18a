-- Frees the place of a plan request whose dispatch is done and whose plan has no open deliberation.
local undispatched, places, open, of_plan = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('zset', {undispatched, places, open, of_plan})
if wrong then return redis.error_reply(wrong) end
if redis.call('ZSCORE', undispatched, call.id) then return 0 end
for _, deliberation in ipairs(redis.call('ZRANGE', of_plan, 0, -1)) do
  if redis.call('ZSCORE', open, deliberation) then return 0 end
end
return redis.call('ZREM', places, call.id)
