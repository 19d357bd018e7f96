#!lua name=farebox_1
-- farebox's grant store, version 1: the rules of a life, in the memory of the server that it lives in.
--
-- What decides stands in local variables of this library. They are neither replicated nor persisted, and are
-- gone with the process, with a reload and with every data set that replaces the one they stood beside. The
-- data set has the journal and a pointer to it: a forged, restored or missing key can refuse, and never grant.
--
-- A version of this text has a name of its own, and is never replaced while it serves: loading it again ends
-- every life of the process.
--
--   fb1:{SS}:life             which life is open, for people and for whoever opens the next
--   fb1:{SS}:j:GENERATION     its journal; numbered from 1 without a gap; gone, the life is over for good
--   fb1:{SS}:ended:GENERATION the journal of a life that another was opened over
--
-- One key, one packed argument, one packed answer. Both begin with the sixteen bytes of the call's attempt:
-- an answer that says another attempt is another call's. After it the answer has one letter, and what belongs
-- to it. Numbers are big-endian. Every function checks, then appends, then changes its memory; nothing that
-- can fail follows the append.

local VERSION = '1'
local BLOCK = 128                      -- the collector looks at a table whole: small ones cost each call less
local MARKS = 281474976710656          -- 2^48: a grant is one number, its state above, a mark below
local TTL_MAX, STEP_MAX = 3600, 300    -- seconds
local SETTLE_MAX, REMEMBERED = 900, 960
local AMOUNT_MAX = 9007199254740991
local WATERMARKS_MAX, BLOCKS_MAX, ABANDONED_MAX, AFTER_MAX = 16384, 4096, 65536, 8
local COUNTERS_MAX, HOLDS_MAX, HOLDS_OF_MAX, LEASES_MAX, LEASE_MAX = 10000, 1000000, 250000, 64, 300
local TRIM_STEP = 500
local AGE = 64                         -- seconds: agents are counted by when their grants end
local REPEATS_MAX, REPEATS = 16, 32        -- a second, and how often it was told again, in one number

-- A grant's state. Settled ones are SETTLED plus the outcome's number; CONTESTED is added once the journal
-- knows that somebody asked for it who may not have it.
local ISSUED, SPENT, SPENT_REVOKED, REVOKED, EXPIRED, SETTLED = 0, 1, 2, 3, 4, 8
local CONTESTED = 16
local SUCCEEDED, UNKNOWN = 0, 4
local HOPELESS = {'equal or smaller', 'exhausted', 'WRONGTYPE'}

local lives = {}    -- journal key -> life
local shards = {}   -- pointer key -> life
local run_id = ''   -- of this process, as the last opening saw it: who says that a life is over says who it is

-- The language's own functions: a library may not name them while it loads, so the first call does.
local floor, sub, byte, char, rep, format, match, find, pack, unpack_, call, try
local function bind()
  floor, sub, byte, char, rep = math.floor, string.sub, string.byte, string.char, string.rep
  format, match, find = string.format, string.match, string.find
  pack, unpack_ = struct.pack, struct.unpack
  call, try = redis.call, redis.pcall
  -- The server has the collector work after every fiftieth call, whether there is something to collect or not.
  -- Over a memory of many small numbers that lives long, that is a third of a spend; so it does less each time.
  collectgarbage('setstepmul', 60)
end

local function seconds() return tonumber(call('TIME')[1]) end

-- Ends a life: no call finds it again.
local function finish(m)
  lives[m.stream] = nil
  if shards[m.pointer] == m then shards[m.pointer] = nil end
end

-- What each event of this second begins with, by its kind: made once a second, for it is made of four pieces.
local heads_of = {__index = function(heads, kind)
  local head = heads.secret .. kind .. heads.stamp
  heads[kind] = head
  return head
end}
local function tick_to(m, t)
  m.latest, m.stamp = t, pack('>I6', t)
  m.heads = setmetatable({secret = m.secret, stamp = m.stamp}, heads_of)
end

-- The life's time, the highest it has seen, so that a clock set back revives nothing; set back far, it ends
-- the life, for what had ended may be forgotten by then.
local function clock(m)
  local said = call('TIME')[1]
  if said == m.second then return m.latest end
  local t = tonumber(said)
  if t > m.latest then tick_to(m, t) m.second = said
  elseif t < m.latest - STEP_MAX then finish(m) return nil end
  return m.latest
end

local function living(keys)
  local m = lives[keys[1]]
  if not m then return nil end
  local now = clock(m)
  if not now then return nil end
  return m, now
end

-- Only the process that had a life may say that it is over for good.
local function fenced(attempt) return attempt .. 'F' .. run_id end

-- Appends an event. Nothing where it is appended; else the letter of the refusal.
local function append(m, kind, body)
  local id = format('%.0f-0', m.n + 1)
  local done = try('XADD', m.stream, 'NOMKSTREAM', id, 'e', m.heads[kind] .. body)
  if not done then finish(m) return 'F' .. run_id end
  if type(done) == 'table' then
    -- Somebody wrote a greater number into the journal, the greatest, or something else in its place. Nothing can
    -- be appended to it any more.
    for i = 1, #HOPELESS do
      if find(done.err, HOPELESS[i], 1, true) then finish(m) return 'F' .. run_id end
    end
    return 'J'
  end
  m.n = m.n + 1
end

local function word(m, seq)
  local b = m.marks[floor(seq / BLOCK)]
  return b and b[seq % BLOCK + 1]
end
local function set(m, seq, state, mark) m.marks[floor(seq / BLOCK)][seq % BLOCK + 1] = state * MARKS + mark end
local function split(w)
  local state = floor(w / MARKS)
  local mark = w - state * MARKS
  if state >= CONTESTED then return state - CONTESTED, mark, CONTESTED end
  return state, mark, 0
end
local function spent_at(m, seq)
  local t = m.times[floor(seq / BLOCK)]
  t = t and t[seq % BLOCK + 1] or 0
  return floor(t / REPEATS), t % REPEATS
end

-- What is kept of the attempt that took a use: 48 bits of it and of its content, so that the same attempt with
-- another content is another claimant. No hash: an attempt is random, nobody else knows it, and nothing but this
-- memory holds what is kept of it.
local function claimant(arg, content)
  local a, b, c = unpack_('>I6I6I4', arg)
  return (a + 2 * b + 5 * c + content) % MARKS
end

-- Whether a revocation of many covers this number. Scopes are six times eight bytes.
local function revoked(m, seq, scopes)
  if seq <= m.all then return true end
  if not m.wide then return false end
  local wm = m.watermarks
  for i = 1, 41, 8 do
    if seq <= (wm[sub(scopes, i, i + 7)] or 0) then return true end
  end
  return false
end

local function queue() return {first = 1, last = 0} end
local function push(q, item) q.last = q.last + 1 q[q.last] = item end
local function pop(q) q[q.first] = nil q.first = q.first + 1 end

-- The number of a later word about the same that was heard before: one that was held up on its way undoes nothing.
-- As many words are remembered as may be blocked at once, and as many again.
local function superseded(m, about, number)
  if number < (m.words[about] or 0) then return pack('>I6', m.words[about]) end
  if not m.words[about] then
    push(m.said, about)
    if m.said.last - m.said.first >= 2 * BLOCKS_MAX then
      m.words[m.said[m.said.first]] = nil
      pop(m.said)
    end
  end
  m.words[about] = number
end

-- A table of many, in 256 of them by their first letter: one that grows is moved to another place whole, and the
-- server waits for that.
local function many() return {} end
local function get(t, key)
  local part = t[byte(key)]
  return part and part[key]
end
local function put(t, key, value)
  local first = byte(key)
  if not t[first] then t[first] = {} end
  t[first][key] = value
end

-- How many grants an agent has, those that ended a while ago among them.
local function count_agent(m, agent, ends)
  local age = floor(ends / AGE)
  local of = m.agents_of[age]
  if not of then
    of = many()
    m.agents_of[age] = of
  end
  put(of, agent, (get(of, agent) or 0) + 1)
  put(m.agents, agent, (get(m.agents, agent) or 0) + 1)
end
local function forget_agents(m, now)
  local over = floor((now - REMEMBERED) / AGE)
  for _ = 1, 16 do
    if m.age >= over then return end
    local of, count = m.agents_of[m.age]
    local part = of and of[m.part]
    if part then m.agent, count = next(part, m.agent) end
    if m.agent then
      local left = get(m.agents, m.agent) - count
      put(m.agents, m.agent, left > 0 and left or nil)
    elseif of and m.part < 255 then
      m.part = m.part + 1
    else
      m.agents_of[m.age] = nil
      m.age, m.part = m.age + 1, 0
    end
  end
end

-- Forgets, a little at a time, what is over.
local function forget(m, now)
  forget_agents(m, now)
  local first = m.first
  if (first + 1) * BLOCK <= m.seq and m.ends[first] + REMEMBERED <= now and (m.kept[first] or 0) <= now then
    m.marks[first], m.times[first], m.after[first], m.ends[first], m.kept[first] = nil, nil, nil, nil, nil
    m.first, m.cut = first + 1, (first + 1) * BLOCK - 1
  end
  for _ = 1, 4 do
    local oldest = m.marked[m.marked.first]
    if not oldest or oldest[2] > m.cut then break end
    if m.watermarks[oldest[1]] == oldest[2] then m.watermarks[oldest[1]] = nil m.watermarked = m.watermarked - 1 end
    pop(m.marked)
  end
  for _ = 1, 4 do
    local oldest = m.given_up[m.given_up.first]
    if not oldest or oldest[2] > now then break end
    put(m.abandoned, oldest[1], nil)
    m.abandoned_count = m.abandoned_count - 1
    pop(m.given_up)
  end
end
local function forget_budgets(m, now)
  local q = m.counted
  for _ = 1, 4 do
    local key = q[q.first]
    if not key then return end
    pop(q)
    local c = m.counters[key]
    if c and c.to <= now then
      m.counters[key] = nil
      m.holds = m.holds - c.count
      local held = (m.holds_of[c.caller] or 0) - c.count
      m.holds_of[c.caller] = held > 0 and held or nil
      local left = (m.callers[c.caller] or 0) - 1
      m.callers[c.caller] = left > 0 and left or nil
    elseif c then
      push(q, key)
    end
  end
end

-- hello: no key. -> version, run id
local function hello(_, a) return sub(a[1], 1, 16) .. 'K' .. VERSION .. run_id end

local function fresh(pointer, stream, generation, secret, now)
  local m = {
    pointer = pointer, stream = stream, id = generation, secret = secret, n = 0, drained = 0,
    seq = 0, first = 0, cut = 0, marks = {}, times = {}, after = {}, ends = {}, kept = {},
    agents = many(), agents_of = {}, age = floor(now / AGE), part = 0, words = {}, said = queue(),
    all = 0, wide = false, watermarks = {}, watermarked = 0, marked = queue(), blocked = {}, blocked_count = 0,
    abandoned = many(), abandoned_count = 0, given_up = queue(), policy = '', policy_hash = '',
    counters = {}, counted = queue(), callers = {}, holds = 0, holds_of = {}, budgets_open = false, restored = {}, issuers = 1,
    leases = {}, leases_count = 0,
  }
  tick_to(m, now)
  return m
end

-- open: attempt, secret 16, policy 32, its scope 8, grants_max 6, agent_max 6, lag_max 6, issuers 2, then blocked
-- scopes, 8 each. -> generation 32 letters, secret 16, 1 where it began just now, run id
local function open(keys, a)
  local attempt, pointer, arg = sub(a[1], 1, 16), keys[1], a[1]
  local m = shards[pointer]
  if m then
    if clock(m) and redis.call('EXISTS', m.stream) == 1 then
      return attempt .. 'K' .. m.id .. m.secret .. '0' .. run_id
    end
    finish(m)
  end
  local info = redis.call('INFO', 'server')
  local run = match(info, 'run_id:(%x+)')
  local replid = match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
  local t = redis.call('TIME')
  -- Never math.random, which repeats after a restart; never the caller's random alone, which a command
  -- delivered to two servers brings to both.
  local g = sub(redis.sha1hex(table.concat({arg, run, replid, t[1], t[2], pointer}, '|')), 1, 32)
  local prefix = sub(pointer, 1, -5)
  local old = redis.pcall('GET', pointer)
  -- What is no pointer, or is of another type, points nowhere.
  if type(old) ~= 'string' or not match(old, '^%x+$') or #old ~= 32 then old = '' end
  local stream = prefix .. 'j:' .. g
  local secret, policy, scope = sub(arg, 17, 32), sub(arg, 33, 64), sub(arg, 65, 72)
  local previous = ''
  for i = 1, 31, 2 do previous = previous .. char(tonumber(sub(old, i, i + 1), 16) or 0) end
  -- In the same step as the new life begins, the journal that the old one needs is taken from under it,
  -- wherever this data set is copied to.
  if old ~= '' and redis.call('EXISTS', prefix .. 'j:' .. old) == 1 then
    redis.call('RENAME', prefix .. 'j:' .. old, prefix .. 'ended:' .. old)
  end
  redis.call('SET', pointer, g)
  m = fresh(pointer, stream, g, secret, tonumber(t[1]))
  m.policy, m.policy_hash = scope, policy
  m.grants_max, m.agent_max, m.lag_max, m.issuers = unpack_('>I6I6I6I2', arg, 73)
  for i = 93, #arg, 8 do
    local blocked = sub(arg, i, i + 7)
    if not m.blocked[blocked] then m.blocked[blocked] = true m.blocked_count = m.blocked_count + 1 end
  end
  redis.call('XADD', stream, '1-0', 'e', m.heads.o .. previous .. policy)
  m.n = 1
  run_id = run
  shards[pointer], lives[stream] = m, m
  return attempt .. 'K' .. g .. secret .. '1' .. run_id
end

-- close: attempt. The life is over, and its journal says so.
local function close(keys, a)
  local attempt = sub(a[1], 1, 16)
  local m = living(keys)
  if not m then return fenced(attempt) end
  local refusal = append(m, 'c', '')
  if refusal then return attempt .. refusal end
  finish(m)
  return attempt .. 'K'
end

-- The predecessors that are still to come, or the letter of the refusal.
local function waiting(m, arg, count)
  local list
  for i = 0, count - 1 do
    local seq = unpack_('>I6', arg, 102 + 6 * i)
    if seq == 0 or seq > m.seq then return nil, 'y' end
    local w = word(m, seq)
    if not w or seq <= m.cut then return nil, 'w' end
    local state = split(w)
    if state == ISSUED or state == SPENT then
      list = list or {}
      list[#list + 1] = seq
    elseif state ~= SETTLED + SUCCEEDED then
      return nil, 'w'
    end
  end
  return list
end

-- register: attempt, grant 16, mark 6, end 6, scopes 48, its own scope 8, predecessors 1 and 6 each, then the
-- description -> its number 6
local function register(keys, a)
  local arg = a[1]
  local attempt = sub(arg, 1, 16)
  local m, now = living(keys)
  if not m then return fenced(attempt) end
  forget(m, now)
  local mark, ends = unpack_('>I6I6', arg, 33)
  local agent = sub(arg, 45, 52)
  if sub(arg, 77, 84) ~= m.policy then return attempt .. 'p' end
  if m.blocked_count > 0 then
    if m.blocked['all-----'] then return attempt .. 'b' end
    for i = 45, 93, 8 do
      if m.blocked[sub(arg, i, i + 7)] then return attempt .. 'b' end
    end
  end
  if get(m.abandoned, sub(arg, 17, 32)) then return attempt .. 'a' end
  if ends <= now or ends > now + TTL_MAX then return attempt .. 'e' end
  if m.n - m.drained >= m.lag_max then return attempt .. 'l' end
  if m.seq - m.cut >= m.grants_max then return attempt .. 'f' end
  if (get(m.agents, agent) or 0) >= m.agent_max then return attempt .. 'g' end
  local count = byte(arg, 101)
  if count > AFTER_MAX then return attempt .. 't' end
  local after, refusal = waiting(m, arg, count)
  if refusal then return attempt .. refusal end
  local seq = m.seq + 1
  local numbers = ''
  for i = 1, after and #after or 0 do numbers = numbers .. pack('>I6', after[i]) end
  refusal = append(m, 'r', pack('>I6B', seq, #numbers / 6) .. numbers .. sub(arg, 102 + 6 * count))
  if refusal then return attempt .. refusal end
  m.seq = seq
  local block = floor(seq / BLOCK)
  if not m.marks[block] then
    m.marks[block], m.ends[block] = {}, 0
    -- Numbers begin with 1: what would be nought is never asked for.
    if block == 0 then m.marks[0][1] = 0 end
  end
  m.marks[block][seq % BLOCK + 1] = mark
  if ends > m.ends[block] then m.ends[block] = ends end
  count_agent(m, agent, ends)
  if after then
    if not m.after[block] then m.after[block] = {} end
    m.after[block][seq] = after
    -- What became of them is asked for until this grant ends.
    for i = 1, #after do
      local before = floor(after[i] / BLOCK)
      if ends > (m.kept[before] or 0) then m.kept[before] = ends end
    end
  end
  return attempt .. 'K' .. pack('>I6', seq)
end

local function succeeded(m, seq)
  local w = seq > m.cut and word(m, seq)
  return w and split(w) == SETTLED + SUCCEEDED
end

-- The first who asks for what he may not have is an event; a flood of them is not worth one each.
local function contest(m, kind, seq, state, mark, flag)
  if flag == 0 and not append(m, kind, pack('>I6', seq)) then set(m, seq, state + CONTESTED, mark) end
end

-- A use that was taken: told again to the attempt that took it, once told to the journal for others.
local function again(m, now, attempt, seq, state, mark, flag, content, ends, scopes)
  local mine = mark == claimant(attempt, content)
  local at, repeats = spent_at(m, seq)
  if mine and state == SPENT and now < ends then
    if revoked(m, seq, scopes) then return attempt .. 'X' end
    if repeats < REPEATS_MAX then
      local refusal = append(m, 'p', pack('>I6', seq))
      if refusal then return attempt .. refusal end
      m.times[floor(seq / BLOCK)][seq % BLOCK + 1] = at * REPEATS + repeats + 1
      return attempt .. 'R' .. pack('>I6', at)
    end
  end
  if not mine then contest(m, 'q', seq, state, mark, flag) end
  return attempt .. 'U' .. pack('>I6', at)
end

-- spend: attempt, number 6, content's mark 6, end 6, scopes 48
-- -> K when | R when (again) | U when (another's) | X revoked | E now | N unknown | P | D lag | F | J
local function spend(keys, a)
  local arg = a[1]
  local attempt = sub(arg, 1, 16)
  local m, now = living(keys)
  if not m then return fenced(attempt) end
  local seq, mark, ends = unpack_('>I6I6I6', arg, 17)
  if seq == 0 or seq > m.seq then return attempt .. 'N' end
  if seq <= m.cut then return attempt .. 'E' .. pack('>I6', now) end
  local place = seq % BLOCK + 1
  local block = (seq - place + 1) / BLOCK
  local slot = m.marks[block]
  -- One that is issued with this content, and of which nothing else is known, is this number.
  if slot[place] ~= mark then
    local state, kept, flag = split(slot[place])
    if state == REVOKED or state == SPENT_REVOKED then return attempt .. 'X' end
    if state == EXPIRED then return attempt .. 'E' .. pack('>I6', now) end
    if state ~= ISSUED then return again(m, now, attempt, seq, state, kept, flag, mark, ends, sub(arg, 35, 82)) end
    if kept ~= mark then
      contest(m, 'f', seq, state, kept, flag)
      return attempt .. 'N'
    end
  end
  if (m.wide or m.all > 0) and revoked(m, seq, sub(arg, 35, 82)) then return attempt .. 'X' end
  if now >= ends or now >= m.ends[block] then return attempt .. 'E' .. pack('>I6', now) end
  local after = m.after[block]
  after = after and after[seq]
  if after then
    for i = 1, #after do
      if not succeeded(m, after[i]) then return attempt .. 'P' end
    end
  end
  if m.n - m.drained >= 2 * m.lag_max then return attempt .. 'D' end
  local claim = claimant(arg, mark)
  local times = m.times[block]
  if not times then times = {} m.times[block] = times end
  local refusal = append(m, 's', sub(arg, 17, 22))
  if refusal then return attempt .. refusal end
  slot[place] = SPENT * MARKS + claim
  times[place] = now * REPEATS
  return attempt .. 'K' .. m.stamp
end

-- settle: attempt, number 6, content's mark 6, outcome 1 -> K | C outcome | S not spent by it | F | J
local function settle(keys, a)
  local arg = a[1]
  local attempt = sub(arg, 1, 16)
  local m = living(keys)
  if not m then return fenced(attempt) end
  local seq, content, outcome = unpack_('>I6I6B', arg, 17)
  if seq == 0 or seq > m.seq or outcome > UNKNOWN then return attempt .. 'S' end
  if seq <= m.cut then return attempt .. 'C' .. char(UNKNOWN) end
  local state, mark, flag = split(word(m, seq))
  if (state ~= SPENT and state ~= SPENT_REVOKED and state < SETTLED) or mark ~= claimant(arg, content) then
    return attempt .. 'S'
  end
  if state >= SETTLED then
    if state == SETTLED + outcome then return attempt .. 'K' end
    return attempt .. 'C' .. char(state - SETTLED)
  end
  local refusal = append(m, 't', sub(arg, 17, 22) .. sub(arg, 29, 29))
  if refusal then return attempt .. refusal end
  set(m, seq, SETTLED + outcome + flag, mark)
  return attempt .. 'K'
end

-- revoke: attempt, number 6 -> K and what was met: u unspent, s spent, t and the outcome, e expired, n unknown
local function revoke(keys, a)
  local attempt = sub(a[1], 1, 16)
  local m = living(keys)
  if not m then return fenced(attempt) end
  local seq = unpack_('>I6', a[1], 17)
  if seq == 0 or seq > m.seq or seq <= m.cut then return attempt .. 'Kn' end
  local state, mark, flag = split(word(m, seq))
  if state >= SETTLED then return attempt .. 'Kt' .. char(state - SETTLED) end
  if state == EXPIRED then return attempt .. 'Ke' end
  local spent = state == SPENT or state == SPENT_REVOKED
  if state == ISSUED or state == SPENT then
    local refusal = append(m, 'x', pack('>I6', seq) .. (spent and '1' or '0'))
    if refusal then return attempt .. refusal end
    set(m, seq, (spent and SPENT_REVOKED or REVOKED) + flag, mark)
  end
  return attempt .. (spent and 'Ks' or 'Ku')
end

-- revoke_all: attempt, scope 8, then the selector for people -> K upto 6 | f too many
local function revoke_all(keys, a)
  local attempt, scope, text = sub(a[1], 1, 16), sub(a[1], 17, 24), sub(a[1], 25)
  local m = living(keys)
  if not m then return fenced(attempt) end
  if scope ~= 'all-----' and not m.watermarks[scope] and m.watermarked >= WATERMARKS_MAX then return attempt .. 'f' end
  local refusal = append(m, 'X', pack('>I6', m.seq) .. text)
  if refusal then return attempt .. refusal end
  if scope == 'all-----' then
    m.all = m.seq
  else
    if not m.watermarks[scope] then m.watermarked = m.watermarked + 1 end
    m.watermarks[scope], m.wide = m.seq, true
    push(m.marked, {scope, m.seq})
  end
  return attempt .. 'K' .. pack('>I6', m.seq)
end

-- abandon: attempt, grant 16 -> K | f
local function abandon(keys, a)
  local attempt, grant = sub(a[1], 1, 16), sub(a[1], 17, 32)
  local m, now = living(keys)
  if not m then return fenced(attempt) end
  if get(m.abandoned, grant) then return attempt .. 'K' end
  if m.abandoned_count >= ABANDONED_MAX then return attempt .. 'f' end
  local refusal = append(m, 'a', grant)
  if refusal then return attempt .. refusal end
  put(m.abandoned, grant, true)
  m.abandoned_count = m.abandoned_count + 1
  push(m.given_up, {grant, now + TTL_MAX + REMEMBERED})
  return attempt .. 'K'
end

-- block, unblock: attempt, the word's number 6, scope 8, then the selector for people -> K | f | K and the number of a later word
local function block(keys, a)
  local attempt, scope, text = sub(a[1], 1, 16), sub(a[1], 23, 30), sub(a[1], 31)
  local m = living(keys)
  if not m then return fenced(attempt) end
  local later = superseded(m, scope, (unpack_('>I6', a[1], 17)))
  if later then return attempt .. 'K' .. later end
  if m.blocked[scope] then return attempt .. 'K' end
  if m.blocked_count >= BLOCKS_MAX then return attempt .. 'f' end
  local refusal = append(m, 'B', text)
  if refusal then return attempt .. refusal end
  m.blocked[scope] = true
  m.blocked_count = m.blocked_count + 1
  return attempt .. 'K'
end
local function unblock(keys, a)
  local attempt, scope, text = sub(a[1], 1, 16), sub(a[1], 23, 30), sub(a[1], 31)
  local m = living(keys)
  if not m then return fenced(attempt) end
  local later = superseded(m, scope, (unpack_('>I6', a[1], 17)))
  if later then return attempt .. 'K' .. later end
  if not m.blocked[scope] then return attempt .. 'K' end
  local refusal = append(m, 'U', text)
  if refusal then return attempt .. refusal end
  m.blocked[scope] = nil
  m.blocked_count = m.blocked_count - 1
  return attempt .. 'K'
end

-- policy: attempt, the word's number 6, policy 32, its scope 8, 1 where the old one's grants die -> K
local function policy(keys, a)
  local attempt, hash, scope, old = sub(a[1], 1, 16), sub(a[1], 23, 54), sub(a[1], 55, 62), sub(a[1], 63, 63)
  local m = living(keys)
  if not m then return fenced(attempt) end
  local later = superseded(m, 'policy', (unpack_('>I6', a[1], 17)))
  if later then return attempt .. 'K' .. later end
  if m.policy == scope then return attempt .. 'K' end
  local refusal = append(m, 'P', hash .. m.policy_hash .. old .. pack('>I6', m.seq))
  if refusal then return attempt .. refusal end
  if old == '1' then
    if not m.watermarks[m.policy] then m.watermarked = m.watermarked + 1 end
    m.watermarks[m.policy], m.wide = m.seq, true
    push(m.marked, {m.policy, m.seq})
  end
  m.policy, m.policy_hash = scope, hash
  return attempt .. 'K'
end

-- A hold: id 16, budget 16, caller 8, amount 7, from 6, to 6.
local HOLD = 59
local function count(m, hold)
  local key, caller = sub(hold, 17, 32) .. sub(hold, 48, 53), sub(hold, 33, 40)
  local amount, _, to = unpack_('>I7I6I6', hold, 41)
  local c = m.counters[key]
  if not c then
    c = {taken = 0, to = to, caller = caller, count = 0, holds = many()}
    m.counters[key] = c
    m.callers[caller] = (m.callers[caller] or 0) + 1
    push(m.counted, key)
  end
  c.taken, c.count = c.taken + amount, c.count + 1
  put(c.holds, sub(hold, 1, 16), amount)
  m.holds = m.holds + 1
  m.holds_of[caller] = (m.holds_of[caller] or 0) + 1
end

-- take: attempt, hold 16, budget 16, caller 8, amount 7, limit 7, window 6
-- -> K hold | O left 7, until 6 | B not an amount | G given back | Z closed | f full
local function take(keys, a)
  local arg = a[1]
  local attempt = sub(arg, 1, 16)
  local m, now = living(keys)
  if not m then return fenced(attempt) end
  if not m.budgets_open then return attempt .. 'Z' end
  forget_budgets(m, now)
  local caller = sub(arg, 49, 56)
  local amount, limit, window = unpack_('>I7I7I6', arg, 57)
  if window == 0 or amount > AMOUNT_MAX or limit > AMOUNT_MAX then return attempt .. 'B' end
  local from = now - now % window
  local key = sub(arg, 33, 48) .. pack('>I6', from)
  local c = m.counters[key]
  local hold = sub(arg, 17, 56) .. pack('>I7I6I6', amount, from, from + window)
  local known = c and get(c.holds, sub(arg, 17, 32))
  if known == -1 then return attempt .. 'G' end
  -- One that was restored may have been begun where there was no room for it.
  if known and c.taken > limit then return attempt .. 'O' .. pack('>I7I6', 0, from + window) end
  if known then return attempt .. 'K' .. sub(arg, 17, 56) .. pack('>I7I6I6', known, from, from + window) end
  local taken = c and c.taken or 0
  if taken + amount > limit then
    return attempt .. 'O' .. pack('>I7I6', limit > taken and limit - taken or 0, from + window)
  end
  -- Nothing is taken by nothing, and nothing remembered.
  if amount == 0 then return attempt .. 'K' .. hold end
  if not c and (m.callers[caller] or 0) >= COUNTERS_MAX then return attempt .. 'f' end
  if m.holds >= HOLDS_MAX or (m.holds_of[caller] or 0) >= HOLDS_OF_MAX then return attempt .. 'f' end
  local refusal = append(m, 'h', hold)
  if refusal then return attempt .. refusal end
  count(m, hold)
  return attempt .. 'K' .. hold
end

-- give: attempt, hold -> K, also where nothing is held any more
local function give(keys, a)
  local attempt, hold = sub(a[1], 1, 16), sub(a[1], 17, 16 + HOLD)
  local m = living(keys)
  if not m then return fenced(attempt) end
  local c = m.counters[sub(hold, 17, 32) .. sub(hold, 48, 53)]
  local id = sub(hold, 1, 16)
  local held = c and get(c.holds, id)
  if not held or held == -1 then return attempt .. 'K' end
  local refusal = append(m, 'g', hold)
  if refusal then return attempt .. refusal end
  c.taken = c.taken - held
  put(c.holds, id, -1)
  return attempt .. 'K'
end

-- restore: attempt, issuer 2, 1 where it was all, then holds -> K, and 1 where budgets are open
local function restore(keys, a)
  local arg = a[1]
  local attempt = sub(arg, 1, 16)
  local m, now = living(keys)
  if not m then return fenced(attempt) end
  local issuer, last = unpack_('>I2', arg, 17), sub(arg, 19, 19) == '1'
  for i = 20, #arg - HOLD + 1, HOLD do
    local hold = sub(arg, i, i + HOLD - 1)
    local c = m.counters[sub(hold, 17, 32) .. sub(hold, 48, 53)]
    local over = unpack_('>I6', hold, 54) <= now
    if not over and not (c and get(c.holds, sub(hold, 1, 16))) then
      local refusal = append(m, 'h', hold)
      if refusal then return attempt .. refusal end
      count(m, hold)
    end
  end
  if last and not m.budgets_open then
    local others = 0
    for known in pairs(m.restored) do if known ~= issuer then others = others + 1 end end
    if others + 1 >= m.issuers then
      local refusal = append(m, 'b', '')
      if refusal then return attempt .. refusal end
      m.budgets_open = true
    end
    m.restored[issuer] = true
  end
  return attempt .. 'K' .. (m.budgets_open and '1' or '0')
end

-- lease: attempt, seconds 2, name's length 1, name, holder -> K number 6, end 6 | H until 6 | f
local function lease(keys, a)
  local arg = a[1]
  local attempt = sub(arg, 1, 16)
  local m, now = living(keys)
  if not m then return fenced(attempt) end
  local length, size = unpack_('>I2B', arg, 17)
  local name, holder = sub(arg, 20, 19 + size), sub(arg, 20 + size)
  local l = m.leases[name]
  if length == 0 or length > LEASE_MAX or (not l and m.leases_count >= LEASES_MAX) then return attempt .. 'f' end
  local number = 1
  if l then
    if now < l.ends and l.holder ~= holder then return attempt .. 'H' .. pack('>I6', l.ends) end
    number = now < l.ends and l.number or l.number + 1
  end
  local ends = now + length
  local refusal = append(m, 'L', pack('>I6I6B', number, ends, size) .. name .. holder)
  if refusal then return attempt .. refusal end
  if not l then m.leases_count = m.leases_count + 1 end
  m.leases[name] = {number = number, ends = ends, holder = holder}
  return attempt .. 'K' .. pack('>I6I6', number, ends)
end
local function drains(m, now, number)
  local l = m.leases['drain']
  return l and l.number == number and now < l.ends
end

-- lapse: attempt, lease's number 6, then number 6 and end 6 of each -> K, and a letter for each: o over, b before, n not yet
local function lapse(keys, a)
  local arg = a[1]
  local attempt = sub(arg, 1, 16)
  local m, now = living(keys)
  if not m then return fenced(attempt) end
  if not drains(m, now, (unpack_('>I6', arg, 17))) then return attempt .. 'Q' end
  local letters = {}
  for i = 23, #arg - 11, 12 do
    local seq, ends = unpack_('>I6I6', arg, i)
    local letter = 'b'
    if seq > m.cut and seq <= m.seq and seq > 0 then
      local state, mark, flag = split(word(m, seq))
      local kind, becomes
      if state == ISSUED then
        letter = 'n'
        if now >= ends then kind, becomes = 'e', EXPIRED end
      elseif state == SPENT or state == SPENT_REVOKED then
        letter = 'n'
        if now >= spent_at(m, seq) + SETTLE_MAX then kind, becomes = 'l', SETTLED + UNKNOWN end
      end
      if kind then
        local refusal = append(m, kind, pack('>I6', seq))
        if refusal then return attempt .. refusal end
        set(m, seq, becomes + flag, mark)
        letter = 'o'
      end
    end
    letters[#letters + 1] = letter
  end
  return attempt .. 'K' .. table.concat(letters)
end

-- trim: attempt, lease's number 6, upto 6 -> K, and 1 where more is left of it
local function trim(keys, a)
  local attempt = sub(a[1], 1, 16)
  local m, now = living(keys)
  if not m then return fenced(attempt) end
  local number, upto = unpack_('>I6I6', a[1], 17)
  if not drains(m, now, number) then return attempt .. 'Q' end
  if upto > m.n then upto = m.n end
  local step = m.drained + TRIM_STEP < upto and m.drained + TRIM_STEP or upto
  if step > m.drained then
    redis.call('XTRIM', m.stream, 'MINID', format('%.0f-0', step + 1))
    m.drained = step
  end
  return attempt .. 'K' .. (step < upto and '1' or '0')
end

-- tick: attempt, the issuer's clock 6 -> K server's clock 6, policy's scope 8 | F where either has stepped
local function tick(keys, a)
  local attempt = sub(a[1], 1, 16)
  local m = living(keys)
  if not m then return fenced(attempt) end
  local t = seconds()
  local ahead = t - unpack_('>I6', a[1], 17)
  if m.ahead and (ahead - m.ahead > STEP_MAX or m.ahead - ahead > STEP_MAX) then
    finish(m)
    return fenced(attempt)
  end
  m.ahead = ahead
  return attempt .. 'K' .. pack('>I6', t) .. m.policy
end

-- state: attempt -> K last event 6, drained 6, last number 6, forgotten 6, watermarks 6, holds 6, bytes of all lives 6
local function state(keys, a)
  local attempt = sub(a[1], 1, 16)
  local m = lives[keys[1]]
  if not m then return fenced(attempt) end
  -- What says that it is over must be over, whatever becomes of its journal after that.
  if redis.call('EXISTS', m.stream) == 0 then finish(m) return fenced(attempt) end
  return attempt .. 'K' .. pack('>I6I6I6I6I6I6I6', m.n, m.drained, m.seq, m.cut, m.watermarked, m.holds, collectgarbage('count') * 1024)
end

-- probe: the fence itself, on a life that nobody else knows. -> K, or the number of the step that is not as it must be
local function probe(keys, a)
  local attempt, pointer = sub(a[1], 1, 16), keys[1]
  local policy_of = rep('p', 8)
  local scopes = rep('s', 32) .. policy_of .. rep('k', 8)
  local opened = open({pointer}, {attempt .. rep('x', 48) .. policy_of .. pack('>I6I6I6I2', 10, 10, 100, 1)})
  local m = shards[pointer]
  local key = {m.stream}
  local soon = m.latest + 60
  local function put(mark) return register(key, {attempt .. rep('g', 16) .. pack('>I6I6', mark, soon) .. scopes .. rep('g', 8) .. '\0'}) end
  local function ask(who, seq, mark) return sub(spend(key, {rep(who, 16) .. pack('>I6I6I6', seq, mark, soon) .. scopes}), 17, 17) end
  local function went()
    if sub(opened, 17, 17) ~= 'K' then return 1 end
    if sub(put(7), 17, 17) ~= 'K' or sub(put(8), 17, 17) ~= 'K' then return 2 end
    if ask('a', 1, 9) ~= 'N' then return 3 end
    if ask('a', 1, 7) ~= 'K' or ask('a', 1, 7) ~= 'R' or ask('b', 1, 7) ~= 'U' then return 4 end
    if sub(revoke_all(key, {attempt .. policy_of}), 17, 17) ~= 'K' or ask('a', 2, 8) ~= 'X' then return 5 end
    if ask('a', 1, 7) ~= 'X' or ask('a', 3, 7) ~= 'N' then return 6 end
    redis.call('DEL', m.stream)
    if sub(put(9), 17, 17) ~= 'F' or ask('a', 1, 7) ~= 'F' then return 7 end
    redis.call('SET', pointer, m.id)
    redis.call('XADD', m.stream, '1-0', 'e', 'forged')
    if ask('b', 1, 7) ~= 'F' then return 8 end
    return 0
  end
  local step = went()
  finish(m)
  redis.call('DEL', m.stream, pointer)
  if step == 0 then return attempt .. 'K' end
  return attempt .. 'S' .. char(step)
end

local function offer(name, rule, flags)
  local function callback(keys, arguments)
    if not sub then bind() end
    return rule(keys, arguments)
  end
  redis.register_function{function_name = 'fb1_' .. name, callback = callback, flags = flags}
end
local function always(name, callback) offer(name, callback, {'allow-oom'}) end
offer('hello', hello, {'no-writes'})
offer('state', state, {'no-writes'})
offer('open', open, {})
offer('register', register, {})
offer('take', take, {})
offer('restore', restore, {})
offer('probe', probe, {})
-- What ends or refuses something works on when memory is short.
always('spend', spend)
always('settle', settle)
always('revoke', revoke)
always('revoke_all', revoke_all)
always('abandon', abandon)
always('block', block)
always('unblock', unblock)
always('policy', policy)
always('give', give)
always('lease', lease)
always('lapse', lapse)
always('trim', trim)
always('tick', tick)
always('close', close)
