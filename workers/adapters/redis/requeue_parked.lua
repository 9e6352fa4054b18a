-- Puts a parked message back into its queue as it was and wakes a worker; answers 0 where none of that id is parked.
local parked, queue, notify = unpack(KEYS)
local call = cjson.decode(ARGV[1])

local wrong = wrong_kind('hash', {parked}) or wrong_kind('list', {queue, notify})
if wrong then return redis.error_reply(wrong) end
if redis.call('HDEL', parked, call.id) == 0 then return 0 end
local raw = string.gsub(call.message, '..', function(digits) return string.char(tonumber(digits, 16)) end)
redis.call('RPUSH', queue, raw)
redis.call('LPUSH', notify, '')
redis.call('PEXPIRE', notify, call.notify_ms)
return 1
