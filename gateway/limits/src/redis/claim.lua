-- Claims a notice, if nobody else holds it. Put on a board, it is told at once.
-- KEYS: the notice, and the board if there is one.
-- ARGV: 1 for how long it is kept (milliseconds), 2 what is put on the board, 3 how many entries a board keeps.
-- Answers 1 if it was claimed, 2 if it was told before, 0 if somebody else is about to.
local value = KEYS[2] and 'told' or 'claimed'
if not redis.call('SET', KEYS[1], value, 'NX', 'PX', ARGV[1]) then
  return redis.call('GET', KEYS[1]) == 'told' and 2 or 0
end
if KEYS[2] then
  redis.call('RPUSH', KEYS[2], ARGV[2])
  redis.call('LTRIM', KEYS[2], -tonumber(ARGV[3]), -1)
  -- As long as the longest of its entries.
  if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[1]) then
    redis.call('PEXPIRE', KEYS[2], ARGV[1])
  end
end
return 1
