-- Adds the call's events to the outbox and answers the ids of those that were new there; a pending event stays as it
-- is. Every id counts as put from now until retention ends. With `once`, ids that count as put are passed over.
local function add_events(order, bodies, put_ids, call, once)
  local new = {}
  if #call.events == 0 then return new end
  redis.call('ZREMRANGEBYSCORE', put_ids, '-inf', call.horizon)
  for _, event in ipairs(call.events) do
    if not (once and redis.call('ZSCORE', put_ids, event.id)) then
      if redis.call('HSETNX', bodies, event.id, event.body) == 1 then
        redis.call('ZADD', order, event.occurred_at, event.id)
        new[#new + 1] = event.id
      end
      redis.call('ZADD', put_ids, call.now, event.id)
    end
  end
  redis.call('PEXPIRE', put_ids, call.retention_ms)
  return new
end
