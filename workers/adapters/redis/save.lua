-- Keeps a plan request unless it is there already, and remembers it as its plan's latest.
if redis.call('SET', KEYS[1], ARGV[2], 'NX', 'PX', ARGV[3]) then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
end
