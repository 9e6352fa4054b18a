-- Adds the call's events to the outbox and answers the ids of those that were new there; or nil and what is wrong with
-- one of its keys, the outbox being as it was then. A pending event stays as it is. Every id counts as put from now
-- until retention ends. With `once`, ids that count as put are passed over.
-- No key is asked for its kind: the first command on each says so itself, and what was written before is taken back.
-- The first write is one that a full server refuses; it would let the others pass once something was written.
local function add_events(order, bodies, put_ids, call, once)
  local new, claimed = {}, {}
  for _, event in ipairs(call.events) do
    local put_at = once and redis.pcall('ZSCORE', put_ids, event.id)
    if type(put_at) == 'table' then return nil, wrong_kind('zset', {put_ids}) or put_at.err end
    if not put_at or tonumber(put_at) <= tonumber(call.horizon) then
      local added = redis.pcall('HSETNX', bodies, event.id, event.body)
      if type(added) == 'table' then return nil, wrong_kind('hash', {bodies}) or added.err end
      if added == 1 then
        local placed = redis.pcall('ZADD', order, event.occurred_at, event.id)
        if type(placed) == 'table' then
          redis.call('HDEL', bodies, event.id)
          return nil, wrong_kind('zset', {order}) or placed.err
        end
        new[#new + 1] = event.id
      end
      claimed[#claimed + 1] = event.id
    end
  end
  for _, id in ipairs(claimed) do
    local claim = redis.pcall('ZADD', put_ids, call.now, id)
    if type(claim) == 'table' then
      for _, added in ipairs(new) do
        redis.call('HDEL', bodies, added)
        redis.call('ZREM', order, added)
      end
      return nil, wrong_kind('zset', {put_ids}) or claim.err
    end
  end
  if #call.events > 0 then
    redis.call('ZREMRANGEBYSCORE', put_ids, '-inf', call.horizon)
    redis.call('PEXPIRE', put_ids, call.retention_ms)
  end
  return new
end
