-- What only one place can decide, for all nodes of a cluster: src/redis/script.rs calls it, and
-- says what is sent and answered. Each call is atomic. It answers with words, never with an error,
-- because clients change errors on the way.
--
-- KEYS, all with one hash tag, so that one shard has them:
--   head    era, id (of the newest event), epochs (how many), at (the last batch), sweep
--   log     a stream of all events; the id of an event is ERA-N, and N is dense: 1, 2, 3
--   said    the same events, those alone that are lines of a room
--   rooms   room -> "seq epoch"
--   names   name -> "node user epoch", the epoch being the node's
--   guests  block -> the same, with user 0
--   nodes   node -> "epoch last deadline entered name": who is there. All times are in
--           milliseconds since 1970; last is the number of the last entry that was appended.
--
-- ARGV: command, node, its epoch, its lease in milliseconds, then what it knows of the log: era,
-- the newest id in it, the id of an event and that event's header. Then what the command takes.
local HEAD, LOG, SAID, ROOMS, NAMES, GUESTS, NODES = unpack(KEYS)
local command, node, my_epoch, lease = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local known_era, known_id = tonumber(ARGV[5]), tonumber(ARGV[6])
local seen_id, seen_header = ARGV[7], ARGV[8]
local FIRST = 9

-- Names that are looked at in one beat, whether they are held still.
local SWEEP = 100

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(number)
  return string.format('%.0f', number)
end

local head = redis.call('HMGET', HEAD, 'era', 'id', 'epochs', 'at', 'sweep')
local era, id = tonumber(head[1] or 0), tonumber(head[2] or 0)
local epochs, at = tonumber(head[3] or 0), tonumber(head[4] or 0)

-- Whether the log has forgotten what this node knows: Redis was emptied, or a failover or a crash
-- took the newest events away.
local function has_forgotten()
  if era ~= known_era then
    return era < known_era
  end
  if id < known_id then
    return true
  end
  if seen_header == '' then
    return false
  end
  local key = whole(era) .. '-' .. seen_id
  local event = redis.call('XRANGE', LOG, key, key)[1]
  return event and event[2][2] ~= seen_header
end

-- Eras only grow, and are above all ids that the streams have had: an XREAD from a place in an
-- old era finds the new one at once.
local function begin_era()
  local last = known_era
  for _, stream in ipairs({ LOG, SAID }) do
    local info = redis.pcall('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then
        last = math.max(last, tonumber(string.match(info[i + 1], '^%d+')))
      end
    end
  end
  era, id = math.max(now, last + 1), 0
  redis.call('HSET', HEAD, 'era', whole(era), 'id', 0)
  -- Lines may have been shown with numbers that would be given again: rooms get new epochs.
  for _, name in ipairs(redis.call('HKEYS', ROOMS)) do
    redis.call('HDEL', ROOMS, name)
  end
end

local function append(of, number, what, payload, stream)
  id = id + 1
  local key = whole(era) .. '-' .. whole(id)
  local header = of .. ' ' .. number .. ' ' .. whole(now) .. ' ' .. what
  redis.call('XADD', LOG, key, 'h', header, 'p', payload)
  if stream then
    redis.call('XADD', stream, key, 'h', header, 'p', payload)
  end
end

local nodes = {}

-- The record of a node that is there.
local function node_of(which)
  if nodes[which] == nil then
    local record = redis.call('HGET', NODES, which)
    if record then
      local epoch, last, deadline, entered, name =
        string.match(record, '^(%d+) (%d+) (%d+) (%d+) (.*)$')
      nodes[which] =
        { epoch = epoch, last = last, deadline = tonumber(deadline), entered = entered, name = name }
    else
      nodes[which] = false
    end
  end
  return nodes[which]
end

local function keep_node(which)
  local it = nodes[which]
  local times = whole(it.deadline) .. ' ' .. it.entered
  redis.call('HSET', NODES, which, it.epoch .. ' ' .. it.last .. ' ' .. times .. ' ' .. it.name)
end

-- Whose something is: nobody's if the node is gone, or has entered anew and not asked for it
-- within two leases.
local function holder(record)
  if not record then
    return nil
  end
  local owner, user, epoch = string.match(record, '^(%x+) (%d+) (%d+)$')
  local it = node_of(owner)
  if not it or (it.epoch ~= epoch and now > it.entered + 2 * lease) then
    return nil
  end
  return owner, user
end

local function mine(user)
  return node .. ' ' .. user .. ' ' .. my_epoch
end

local function remove_node(which)
  append(which, 0, 'G', '')
  redis.call('HDEL', NODES, which)
  nodes[which] = false
  local guests = redis.call('HGETALL', GUESTS)
  for i = 1, #guests, 2 do
    if string.match(guests[i + 1], '^%x+') == which then
      redis.call('HDEL', GUESTS, guests[i])
    end
  end
end

-- Leases run only while batches come: if Redis itself was away, or its clock was set, nobody is
-- gone for that.
local function extend_leases()
  local gap = now - at
  if at == 0 or (gap >= 0 and gap <= lease / 2) then
    return
  end
  for _, which in ipairs(redis.call('HKEYS', NODES)) do
    local it = node_of(which)
    it.deadline = it.deadline + gap
    keep_node(which)
  end
end

local function remove_gone()
  for _, which in ipairs(redis.call('HKEYS', NODES)) do
    if which ~= node and node_of(which).deadline < now then
      remove_node(which)
    end
  end
end

local function sweep_names()
  local found = redis.call('HSCAN', NAMES, head[5] or 0, 'COUNT', SWEEP)
  for i = 1, #found[2], 2 do
    if not holder(found[2][i + 1]) then
      redis.call('HDEL', NAMES, found[2][i])
    end
  end
  redis.call('HSET', HEAD, 'sweep', found[1])
end

local rooms = {}

local function room_of(name)
  if not rooms[name] then
    local seq, epoch = string.match(redis.call('HGET', ROOMS, name) or '', '^(%d+) (-?%d+)$')
    rooms[name] = { seq = tonumber(seq or 0), epoch = epoch }
  end
  return rooms[name]
end

-- What is done with an entry: its number, three words, and its payload.
local actions = {}

function actions.T(number, _, _, _, payload)
  append(node, number, 'T', payload)
end

function actions.S(number, name, _, _, payload)
  local room = room_of(name)
  room.seq = room.seq + 1
  room.epoch = room.epoch or whole(now)
  append(node, number, 'S ' .. whole(room.seq) .. ' ' .. room.epoch, payload, SAID)
end

local function is_held_by(user, name)
  local owner, its_user = holder(redis.call('HGET', NAMES, name))
  return owner == node and its_user == user
end

local function claim(number, name, user, releases, payload)
  if releases ~= '' and releases ~= name and is_held_by(user, releases) then
    redis.call('HDEL', NAMES, releases)
  end
  redis.call('HSET', NAMES, name, mine(user))
  append(node, number, 'C', payload)
end

function actions.C(number, name, user, releases, payload)
  if holder(redis.call('HGET', NAMES, name)) and not is_held_by(user, name) then
    return append(node, number, 'X', payload)
  end
  claim(number, name, user, releases, payload)
end

actions.O = claim

function actions.R(number, name, user, _, payload)
  if is_held_by(user, name) then
    redis.call('HDEL', NAMES, name)
  end
  append(node, number, 'T', payload)
end

function actions.A(number, name, seq, _, payload)
  local room = room_of(name)
  room.seq = math.max(room.seq, tonumber(seq))
  append(node, number, 'T', payload)
end

function actions.L(number, _, _, _, payload)
  local block = 0
  while holder(redis.call('HGET', GUESTS, block)) do
    block = block + 1
  end
  redis.call('HSET', GUESTS, block, mine(0))
  append(node, number, 'B ' .. block, payload)
end

-- Blocks of an earlier epoch that are not asked for are nobody's.
function actions.K(number, blocks, _, _, payload)
  local kept = ''
  for block in string.gmatch(blocks, '%d+') do
    local owner = holder(redis.call('HGET', GUESTS, block))
    if not owner or owner == node then
      redis.call('HSET', GUESTS, block, mine(0))
      kept = kept .. ' ' .. block
    end
  end
  local guests = redis.call('HGETALL', GUESTS)
  for i = 1, #guests, 2 do
    local owner, epoch = string.match(guests[i + 1], '^(%x+) 0 (%d+)$')
    if owner == node and epoch ~= my_epoch then
      redis.call('HDEL', GUESTS, guests[i])
    end
  end
  append(node, number, 'K' .. kept, payload)
end

local commands = {}

-- Takes the node's name; answers with the era, the id before its own event, and its epoch.
function commands.enter()
  local before = id
  my_epoch = whole(math.max(epochs, tonumber(my_epoch)) + 1)
  redis.call('HSET', HEAD, 'epochs', my_epoch)
  nodes[node] =
    { epoch = my_epoch, last = 0, deadline = now + lease, entered = whole(now), name = ARGV[FIRST] }
  keep_node(node)
  append(node, 0, 'E ' .. my_epoch, ARGV[FIRST])
  redis.call('HSET', HEAD, 'id', whole(id))
  return { 'OK', whole(era), whole(before), my_epoch }
end

-- Whether the log is still what the node knows. Answers with the newest id.
function commands.check()
  return { 'OK', whole(id) }
end

-- Takes 1 if it is a beat, else 0, and entries of six words each: number, action, three that the
-- action takes, payload. Answers with the newest id.
function commands.append()
  local it = node_of(node)
  if not it or it.epoch ~= my_epoch then
    return { 'FENCED' }
  end
  -- First of all what memory may be missing for: nothing has been done if it is.
  redis.call('HSET', HEAD, 'at', whole(now))
  extend_leases()
  it.deadline = now + lease
  if ARGV[FIRST] == '1' then
    remove_gone()
    sweep_names()
  end
  for i = FIRST + 1, #ARGV, 6 do
    -- What was appended before its answer was lost is sent again.
    if tonumber(ARGV[i]) > tonumber(it.last) then
      actions[ARGV[i + 1]](ARGV[i], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5])
      it.last = ARGV[i]
    end
  end
  for name, room in pairs(rooms) do
    redis.call('HSET', ROOMS, name, whole(room.seq) .. ' ' .. (room.epoch or whole(now)))
  end
  keep_node(node)
  redis.call('HSET', HEAD, 'id', whole(id))
  return { 'OK', whole(id) }
end

-- The node is gone at once.
function commands.leave()
  local it = node_of(node)
  if not it or it.epoch ~= my_epoch then
    return { 'FENCED' }
  end
  remove_node(node)
  redis.call('HSET', HEAD, 'id', whole(id))
  return { 'OK', whole(id) }
end

local function run()
  if era == 0 or has_forgotten() then
    begin_era()
  end
  if command ~= 'enter' and era ~= known_era then
    return { 'ERA', whole(era) }
  end
  return commands[command]()
end

local is_done, answer = pcall(run)
if is_done then
  return answer
end
return { 'ERROR', type(answer) == 'table' and answer.err or tostring(answer) }
