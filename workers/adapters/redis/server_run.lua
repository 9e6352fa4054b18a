-- Answers which run of which server this is; empty where the login may not ask, so that every run looks alike then.
local function server_run()
  local info = redis.pcall('INFO', 'server')
  if type(info) ~= 'string' then return '' end
  return string.match(info, 'run_id:(%x+)') or ''
end
