-- Gives a lease back; in a moment, so that the next one's feed has told what ours did.
-- KEYS: lease    ARGV: what our lease says, the moment in ms
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
