-- Notes how full members of a group are, and tells the fullest.
-- KEYS: members by what they have used, members by when that was noted.
-- ARGV: 1 now, 2 before when those noted last are forgotten, 3 how many are kept, 4 for how long, 5 what counts as full,
-- 6 how many to tell (0: none, and nothing is counted), then two for each member: its name, and what it has used.
-- Answers {members, full, name, used, name, used …}.
local used, noted = KEYS[1], KEYS[2]

for i = 7, #ARGV, 2 do
  if ARGV[i + 1] == '0' then
    redis.call('ZREM', used, ARGV[i])
    redis.call('ZREM', noted, ARGV[i])
  else
    redis.call('ZADD', used, ARGV[i + 1], ARGV[i])
    redis.call('ZADD', noted, ARGV[1], ARGV[i])
  end
end

-- Some at a time, so that no call blocks the server for long.
local gone = redis.call('ZRANGEBYSCORE', noted, '-inf', '(' .. ARGV[2], 'LIMIT', 0, 1000)
local over = redis.call('ZCARD', used) - #gone - tonumber(ARGV[3])
if over > 0 then
  for _, name in ipairs(redis.call('ZRANGE', used, 0, math.min(over, 1000) - 1)) do
    gone[#gone + 1] = name
  end
end
if #gone > 0 then
  redis.call('ZREM', used, unpack(gone))
  redis.call('ZREM', noted, unpack(gone))
end
if #ARGV > 6 then
  redis.call('PEXPIRE', used, ARGV[4])
  redis.call('PEXPIRE', noted, ARGV[4])
end

local most = tonumber(ARGV[6])
if most == 0 then
  return {}
end
local answer = {redis.call('ZCARD', used), redis.call('ZCOUNT', used, ARGV[5], '+inf')}
local first = redis.call('ZREVRANGE', used, 0, most - 1, 'WITHSCORES')
for i = 1, #first, 2 do
  answer[#answer + 1] = first[i]
  -- Scores are doubles, and a large one is written with an exponent.
  answer[#answer + 1] = string.format('%.0f', tonumber(first[i + 1]))
end
return answer
