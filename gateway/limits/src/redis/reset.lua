-- Forgets what the counter at KEYS[1] has spent; what is held stays.
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 1) == 's' then
    redis.call('HDEL', KEYS[1], field)
  end
end
return 1
