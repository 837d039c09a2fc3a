-- Puts what was really used in the place of what an ask holds.
-- KEYS: the reservation's mark, one hash for each counter, then the mark that counters stand.
-- ARGV: 1 how long the mark is kept from now on (milliseconds), 2 whether the ask counts as granted if there is no mark,
-- 3 when the reservation expires, then five for each counter: 1 its slot, 2 what is held, 3 the change of what is spent
-- if it was granted, 4 the change if not, 5 how long it is kept (-1: for ever).
-- Answers 2 if Redis has lost its data: nothing is changed then.
local MOST = 9007199254740991
local PARTS, FIRST = 5, 4
if redis.call('EXISTS', KEYS[#KEYS]) == 0 then
  return 2
end
local mark = redis.call('GET', KEYS[1])
if mark == 'settled' then
  return 0
end
redis.call('SET', KEYS[1], 'settled', 'PX', ARGV[1])
local is_held = mark == 'open' or ARGV[2] == '1'

local function change(key, field, by)
  local before = tonumber(redis.call('HGET', key, field) or 0)
  local after = math.max(0, math.min(before + by, MOST))
  if after > 0 then
    redis.call('HSET', key, field, string.format('%.0f', after))
  elseif before > 0 then
    redis.call('HDEL', key, field)
  end
end

for place = 2, #KEYS - 1 do
  local key, at = KEYS[place], FIRST + (place - 2) * PARTS
  local held, spent = tonumber(ARGV[at + 1]), tonumber(ARGV[at + (is_held and 2 or 3)])
  if is_held and held > 0 then
    change(key, 'r' .. ARGV[at] .. ':' .. ARGV[3], -held)
  end
  if spent ~= 0 then
    change(key, 's' .. ARGV[at], spent)
  end
  local kept = tonumber(ARGV[at + 4])
  if kept >= 0 and redis.call('PTTL', key) < kept - 1000 then
    redis.call('PEXPIRE', key, kept)
  end
end
return 1
