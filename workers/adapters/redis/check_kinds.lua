-- Answers what is wrong where a key holds another kind of value than is about to be written there; nil where nothing
-- is. A write to such a key would end a script in the middle, with its earlier writes done.
local function wrong_kind(kind, keys)
  for _, key in ipairs(keys) do
    local found = redis.call('TYPE', key).ok
    if found ~= 'none' and found ~= kind then
      return 'WRONGTYPE ' .. key .. ' holds a ' .. found .. ' where a ' .. kind .. ' belongs'
    end
  end
end
