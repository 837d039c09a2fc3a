-- Puts back what Redis has lost, while the lock is held.
-- KEYS: 1 the lock, 2 the mark that counters stand, then one for each entry: a counter's hash or a reservation's mark.
-- ARGV: 1 who holds the lock, 2 how long it is held from now on (milliseconds), 3 what then: 'more', 'last' (they stand now)
-- or 'leave', then three for each entry: 1 its field (empty: a reservation that is settled), 2 what is spent, 3 how long it
-- is kept (milliseconds, -1: for ever).
-- To put the same again changes nothing, and what Redis still has of a field stays if it is more.
local PARTS, FIRST = 3, 4
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end

for place = 3, #KEYS do
  local key, at = KEYS[place], FIRST + (place - 3) * PARTS
  local field, amount, kept = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  if field == '' then
    redis.call('SET', key, 'settled', 'PX', kept)
  else
    local before = tonumber(redis.call('HGET', key, field) or 0)
    redis.call('HSET', key, field, string.format('%.0f', math.max(before, amount)))
    if kept >= 0 and redis.call('PTTL', key) < kept then
      redis.call('PEXPIRE', key, kept)
    end
  end
end

if ARGV[3] == 'more' then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
  redis.call('DEL', KEYS[1])
end
if ARGV[3] == 'last' then
  redis.call('SET', KEYS[2], ARGV[1])
end
return 1
