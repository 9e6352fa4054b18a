-- Answers each counter's name followed by the sum that it will hold; or nil and what is wrong with one of them.
local WHOLE = 2 ^ 53 -- from here on a double, Lua's only number, can't tell whole numbers apart
local function sum_counters(counters, changes)
  local names, sums = {}, {}
  for name in pairs(changes) do names[#names + 1] = name end
  local counts = #names == 0 and {} or redis.pcall('HMGET', counters, unpack(names))
  if counts.err then return nil, wrong_kind('hash', {counters}) or counts.err end
  for i, name in ipairs(names) do
    local sum = (tonumber(counts[i] or 0) or math.huge) + changes[name]
    if sum % 1 ~= 0 or math.abs(sum) >= WHOLE then
      return nil, 'ERR counter ' .. name .. ' in ' .. counters .. ' can not be raised exactly'
    end
    sums[2 * i - 1], sums[2 * i] = name, string.format('%.0f', sum)
  end
  return sums
end
