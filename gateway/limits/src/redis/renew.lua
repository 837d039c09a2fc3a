-- Keeps a notice that was told for longer.
-- KEYS: the notice. ARGV: for how long from now on (milliseconds).
if redis.call('GET', KEYS[1]) == 'told' and redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return 1
