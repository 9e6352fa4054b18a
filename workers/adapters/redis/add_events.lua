-- Adds the call's events to the outbox and answers the ids of those that were new there. One that is pending stays as it
-- is. Every id counts as put from now until retention ends; with `once`, ids that were put within it are passed over.
local function add_events(order, bodies, known, call, once)
  local new = {}
  if #call.events == 0 then return new end
  redis.call('ZREMRANGEBYSCORE', known, '-inf', call.horizon)
  for _, event in ipairs(call.events) do
    if not (once and redis.call('ZSCORE', known, event.id)) then
      if redis.call('HSETNX', bodies, event.id, event.body) == 1 then
        redis.call('ZADD', order, event.occurred_at, event.id)
        new[#new + 1] = event.id
      end
      redis.call('ZADD', known, call.now, event.id)
    end
  end
  redis.call('PEXPIRE', known, call.retention_ms)
  return new
end
