-- Grants an ask in all of its counters or in none.
-- KEYS: the reservation's mark, one hash for each counter, then the mark that counters stand.
-- ARGV: 1 now, 2 how long the mark is kept, 3 when the reservation expires, 4 before when expired ones are dropped (all
-- in milliseconds), then nine for each counter: 1 its slot, 2 the oldest slot that counts, 3 the oldest that is kept,
-- 4 the amount, 5 what must fit, 6 whether it refuses, 7 what is spent at once, 8 what is held, 9 how long it is kept
-- (-1: for ever).
-- Fields of a hash: 's<slot>' is spent, 'r<slot>:<expiry>' is held until then.
-- Answers {1, spent, reserved, spent, reserved …}, or {0, which, field, value, field, value …} of the one that refuses.
-- {2}: Redis has lost its data.
-- Whole numbers up to 2^53 are exact in Lua.
local MOST = 9007199254740991
local PARTS, FIRST = 9, 5
local now, oldest_expiry = tonumber(ARGV[1]), tonumber(ARGV[4])
if redis.call('EXISTS', KEYS[#KEYS]) == 0 then
  return {2}
end
local LAST = #KEYS - 1
local is_known = redis.call('EXISTS', KEYS[1]) == 1
local answer, stale = {1}, {}

for place = 2, LAST do
  local at = FIRST + (place - 2) * PARTS
  local first, oldest_slot = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local entries = redis.call('HGETALL', KEYS[place])
  local spent, reserved, old = 0, 0, {}
  for i = 1, #entries, 2 do
    local slot, expires = string.match(entries[i], '^%a(-?%d+):?(-?%d*)$')
    local amount = tonumber(entries[i + 1])
    slot, expires = tonumber(slot), tonumber(expires)
    if slot >= first and not expires then
      spent = math.min(spent + amount, MOST)
    elseif slot >= first and expires > now then
      reserved = math.min(reserved + amount, MOST)
    end
    -- What counts no more, and has not for so long that no clock of another pod still counts it.
    if expires and expires <= oldest_expiry or not expires and slot < oldest_slot then
      old[#old + 1] = entries[i]
    end
  end
  stale[place] = old
  if not is_known then
    local refuses = ARGV[at + 5] == '1'
    if refuses and spent + reserved + tonumber(ARGV[at + 4]) > tonumber(ARGV[at + 3]) then
      return {0, place - 2, unpack(entries)}
    end
    spent = math.min(spent + tonumber(ARGV[at + 6]), MOST)
    reserved = math.min(reserved + tonumber(ARGV[at + 7]), MOST)
  end
  answer[#answer + 1] = spent
  answer[#answer + 1] = reserved
end

if is_known then
  return answer
end

local function add(key, field, amount)
  if amount > 0 then
    local sum = tonumber(redis.call('HGET', key, field) or 0) + amount
    redis.call('HSET', key, field, string.format('%.0f', math.min(sum, MOST)))
  end
end

redis.call('SET', KEYS[1], 'open', 'PX', ARGV[2])
for place = 2, LAST do
  local key, at = KEYS[place], FIRST + (place - 2) * PARTS
  if #stale[place] > 0 then
    redis.call('HDEL', key, unpack(stale[place]))
  end
  add(key, 's' .. ARGV[at], tonumber(ARGV[at + 6]))
  add(key, 'r' .. ARGV[at] .. ':' .. ARGV[3], tonumber(ARGV[at + 7]))
  local kept = tonumber(ARGV[at + 8])
  -- A second is nothing beside the grace in it, and spares most calls the write.
  if kept >= 0 and redis.call('PTTL', key) < kept - 1000 then
    redis.call('PEXPIRE', key, kept)
  end
end
return answer
