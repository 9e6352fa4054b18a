-- Raises the fence of a deliberation that was opened and touches it in the index; answers 0 if it was not.
if redis.call('HEXISTS', KEYS[1], 'opened') == 0 then return 0 end
if redis.call('HEXISTS', KEYS[1], 'closed') == 0 then redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1]) end
return redis.call('HINCRBY', KEYS[1], '#fence', 1)
