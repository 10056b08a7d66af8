-- Write entries, each only where it raises the version that is there, or fills in the lots that a
-- tombstone of that version lacks; then publish hints, so that who hears one finds nothing older.
-- On a cluster all keys are of one tenant.
-- KEYS: the entries' keys. ARGV: for each key its version, its entry, its lifetime in milliseconds;
-- then for each hint its channel and what it says.
-- Answers {how many were written, how many keys held another type than ours}.
-- Whatever is there and is no entry of ours (see encoding.py) has no version and is overwritten.
local ENTRY_BYTES_MAX = 4096

-- The first version that would be news: the one after an entry's, a tombstone's own.
local function news_from(raw)
  if #raw > ENTRY_BYTES_MAX then return nil end
  local body = string.sub(raw, 9)
  if string.sub(redis.sha1hex(body), 1, 8) ~= string.sub(raw, 1, 8) then return nil end
  local version = tonumber(string.match(body, '^%[(%d+),'))
  if version and string.sub(body, -6) ~= ',null]' then return version + 1 end
  return version
end

local written, foreign = 0, 0
for i, key in ipairs(KEYS) do
  -- One byte more than an entry can have is enough to tell a huge value.
  local raw = redis.pcall('GETRANGE', key, 0, ENTRY_BYTES_MAX)
  local news = nil
  if type(raw) == 'string' then news = news_from(raw) else foreign = foreign + 1 end
  if news == nil or tonumber(ARGV[3 * i - 2]) >= news then
    redis.call('SET', key, ARGV[3 * i - 1], 'PX', ARGV[3 * i])
    written = written + 1
  end
end
for i = 3 * #KEYS + 1, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end
return {written, foreign}
