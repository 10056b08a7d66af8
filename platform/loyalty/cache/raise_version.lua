-- Write entries, each only where it raises the version that is there. All keys are of one tenant.
-- KEYS: the entries' keys. ARGV: for each key its version, its entry, its lifetime in milliseconds.
-- Answers {how many were written, how many keys held another type than ours}.
-- Whatever is there and is no entry of ours (see encoding.py) has no version and is overwritten.
local ENTRY_BYTES_MAX = 4096

local function version_of(raw)
  if #raw > ENTRY_BYTES_MAX then return nil end
  local body = string.sub(raw, 9)
  if string.sub(redis.sha1hex(body), 1, 8) ~= string.sub(raw, 1, 8) then return nil end
  return tonumber(string.match(body, '^%[(%d+),'))
end

local written, foreign = 0, 0
for i, key in ipairs(KEYS) do
  -- One byte more than an entry can have is enough to tell a huge value.
  local raw = redis.pcall('GETRANGE', key, 0, ENTRY_BYTES_MAX)
  local present = nil
  if type(raw) == 'string' then present = version_of(raw) else foreign = foreign + 1 end
  if present == nil or present < tonumber(ARGV[3 * i - 2]) then
    redis.call('SET', key, ARGV[3 * i - 1], 'PX', ARGV[3 * i])
    written = written + 1
  end
end
return {written, foreign}
