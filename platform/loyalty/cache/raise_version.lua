-- Write entries, each only where it raises the version that is there, or fills in the lots that a
-- tombstone of that version lacks; then publish hints, so that who hears one finds nothing older.
-- On a cluster all keys are of one tenant.
-- KEYS: the entries' keys. ARGV: for each key its version, its entry, its lifetime in milliseconds;
-- then for each hint its channel and what it says.
-- Answers {how many were written, how many keys held another type than ours}.
-- Whatever is there and is no entry of ours (see encoding.py) has no version and is overwritten.
local ENTRY_BYTES_MAX = 4096

-- Whether what is there keeps out an entry of this version. Its digest is worked out last: garbage or
-- not, what a newer version replaces need not be looked at.
local function stands(raw, version)
  if #raw > ENTRY_BYTES_MAX then return false end
  local there = tonumber(string.match(raw, '^%[(%d+),', 9))
  if there == nil or version > there then return false end
  if version == there and string.sub(raw, -6) == ',null]' then return false end
  return string.sub(redis.sha1hex(string.sub(raw, 9)), 1, 8) == string.sub(raw, 1, 8)
end

local written, foreign = 0, 0
for i, key in ipairs(KEYS) do
  -- One byte more than an entry can have is enough to tell a huge value.
  local raw = redis.pcall('GETRANGE', key, 0, ENTRY_BYTES_MAX)
  local kept = false
  if type(raw) == 'string' then
    kept = stands(raw, tonumber(ARGV[3 * i - 2]))
  else
    foreign = foreign + 1
  end
  if not kept then
    redis.call('SET', key, ARGV[3 * i - 1], 'PX', ARGV[3 * i])
    written = written + 1
  end
end
for i = 3 * #KEYS + 1, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end
return {written, foreign}
