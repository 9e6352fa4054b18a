-- Takes events out of the outbox; ids that are not there are ignored.
local order, bodies, postponed = unpack(KEYS)
local ids = cjson.decode(ARGV[1]).ids

for first = 1, #ids, 1000 do -- unpack gives some thousands at most
  local some = {unpack(ids, first, math.min(first + 999, #ids))}
  redis.call('ZREM', order, unpack(some))
  redis.call('HDEL', bodies, unpack(some))
  redis.call('ZREM', postponed, unpack(some))
end
return 0
