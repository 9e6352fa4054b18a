"""A worker's heartbeat as a script: one command for all that it has in flight."""

from __future__ import annotations

from workers.broker.broker_clock import NOW

REFRESH = (
    NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', time[1] - 86400)
if ARGV[1] ~= '' then redis.call('ZADD', KEYS[2], now, ARGV[1]) end
local held = 0
for first = 2, #ARGV, 1000 do -- unpack gives some thousands at most
    local scores = {}
    for i = first, math.min(first + 999, #ARGV) do
        scores[#scores + 1] = now
        scores[#scores + 1] = ARGV[i]
    end
    held = held + redis.call('ZADD', KEYS[1], 'XX', 'CH', unpack(scores))
end
return held
"""
)
"""KEYS: index of unacknowledged messages, index of workers by their last refresh. ARGV: the worker's id, delivery
tags. Returns how many of these are still marked. Workers unheard of for a day are forgotten; since that comes
first, and frees memory, a server without memory lets the rest pass."""
