-- Takes a server's lease where it is free, keeps it where it is ours.
-- KEYS: lease, fence, machine, live, ended, ended_at
-- ARGV: what our lease says ("ID:FENCE", empty where we have none), our ID, its time in ms, the server's machineIdentifier
-- Gives {"kept"}, {"held", by whom}, or {"taken", what our lease says, live..., ended...} as hashes' fields and values.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return {'held', holder}
end
-- What ran on another machine of that name runs no more.
local is_another = redis.call('GET', KEYS[3]) ~= ARGV[4]
if is_another then
  redis.call('DEL', KEYS[4], KEYS[5], KEYS[6])
  redis.call('SET', KEYS[3], ARGV[4])
end
if holder and not is_another then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return {'kept'}
end
local lease = ARGV[2] .. ':' .. redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], lease, 'PX', ARGV[3])
return {'taken', lease, redis.call('HGETALL', KEYS[4]), redis.call('HGETALL', KEYS[5])}
