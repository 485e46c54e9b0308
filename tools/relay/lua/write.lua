-- Writes entries of one server into the stream, where the lease is still ours. An entry that was written is passed over.
-- KEYS: lease, stream, live, ended, ended_at
-- ARGV: what our lease says, the stream's greatest length, how long an end is remembered (in ms), then for each
--       entry: uuid, life, seq, kind, what the live set is to have of it, how many words of the stream's entry, those words
-- Gives {how many were written, how many old ones went for them}.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED the lease is not ours any more')
end

local function written(uuid)
  local live = redis.call('HGET', KEYS[3], uuid)
  if live then
    return live:match('^(%d+) (%d+) ')
  end
  local ended = redis.call('HGET', KEYS[4], uuid)
  if ended then
    return ended:match('^(%d+) (%d+)')
  end
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('XLEN', KEYS[2])
local added = 0
local at = 4
while at <= #ARGV do
  local uuid, life, seq, kind, live, words = unpack(ARGV, at, at + 5)
  local last_life, last_seq = written(uuid)
  local is_new = not last_life or tonumber(life) > tonumber(last_life)
    or (tonumber(life) == tonumber(last_life) and tonumber(seq) > tonumber(last_seq))
  if is_new then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, at + 6, at + 5 + words))
    added = added + 1
    if kind == 'ended' then
      redis.call('HDEL', KEYS[3], uuid)
      redis.call('HSET', KEYS[4], uuid, life .. ' ' .. seq)
      redis.call('ZADD', KEYS[5], now, uuid)
    else
      redis.call('HSET', KEYS[3], uuid, live)
    end
  end
  at = at + 6 + words
end

local old = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now - ARGV[3], 'LIMIT', 0, 100)
if #old > 0 then
  redis.call('ZREM', KEYS[5], unpack(old))
  redis.call('HDEL', KEYS[4], unpack(old))
end
return {added, before + added - redis.call('XLEN', KEYS[2])}
