-- What only one place can decide, for all nodes of a cluster: src/redis/script.rs calls it, and
-- says what is sent and answered. Each call is atomic. It answers with words, never with an error,
-- because clients change errors on the way.
--
-- KEYS, all with one hash tag, so that one shard has them:
--   head    era, id (of the newest event), epochs (how many), at (the last batch), sweep;
--           said, mark, next: how said is trimmed
--   log     a stream of all events. What a call appends is one entry, header and payload of each
--           event in turn; ids of events are dense, and the entry's is ERA-ID of its last one
--   said    the same of those events alone that are lines of a room
--   rooms   room -> "seq epoch"
--   names   name -> "node user epoch", the epoch being the node's
--   guests  block -> the same, with user 0
--   nodes   node -> "epoch last deadline entered name": who is there. All times are in
--           milliseconds since 1970; last is the number of the last entry that was appended.
--
-- A header is: id, node, number, time, what was decided.
--
-- Whoever reaches Redis can write there. A field that no call has written is as good as missing; an
-- entry that none has written begins a new era if nothing can be appended behind it.
--
-- ARGV: command, node, its epoch, its lease in milliseconds, then what it knows of the log: era,
-- the newest id in it, the id of an event and that event's header, which may be empty. Then what
-- the command takes.
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

-- A number as calls write them: Lua itself writes every digit of what is below 10^14. Else nil.
local function read(text)
  local digits = string.match(text or '', '^%d+$')
  return digits and #digits < 15 and tonumber(digits) or nil
end

local now_text = whole(now)
local head = redis.call('HMGET', HEAD, 'era', 'id', 'epochs', 'at', 'sweep', 'said', 'mark', 'next')
local era, id = read(head[1]) or 0, read(head[2]) or 0
local epochs, at = read(head[3]) or 0, read(head[4]) or 0

-- What stands where the node has read an event. Nil if it does not say which, or there is none.
local function seen_now()
  if seen_header == '' then
    return nil
  end
  -- The entry that the event is in, or the next if it has been trimmed away.
  local from, to = whole(known_era) .. '-' .. seen_id, whole(known_era)
  local entry = redis.call('XRANGE', LOG, from, to, 'COUNT', 1)[1]
  local start = seen_id .. ' '
  for i = 1, entry and #entry[2] or 0, 2 do
    if string.sub(entry[2][i], 1, #start) == start then
      return entry[2][i]
    end
  end
  return nil
end

-- Whether the log has forgotten what this node knows: Redis was emptied, or a failover or a crash
-- took the newest events away.
local function has_forgotten()
  if era ~= known_era then
    return era < known_era
  end
  local header = seen_now()
  return id < known_id or (header ~= nil and header ~= seen_header)
end

-- The last id that a stream has had, in its two parts.
local function last_of(stream)
  local info = redis.pcall('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      local its_era, its_id = string.match(info[i + 1], '^(%d+)-(%d+)$')
      return tonumber(its_era), tonumber(its_id)
    end
  end
  return 0, 0
end

-- Whether somebody else has appended to a stream: it takes only what is above all that it has had.
local function is_overtaken()
  for _, stream in ipairs({ LOG, SAID }) do
    local its_era, its_id = last_of(stream)
    if its_era > era or its_era == era and its_id > id then
      return true
    end
  end
  return false
end

-- Eras only grow, and are above all ids that the streams have had: an XREAD from a place in an
-- old era finds the new one at once.
local function begin_era()
  local last = known_era
  for _, stream in ipairs({ LOG, SAID }) do
    local its_era = last_of(stream)
    if its_era >= 1e14 - 1 then
      error({ err = stream .. ' has had an id that nothing can follow; it has to be deleted' })
    end
    last = math.max(last, its_era)
  end
  era, id = math.max(now, last + 1), 0
  redis.call('HSET', HEAD, 'era', whole(era), 'id', 0)
  -- Lines may have been shown with numbers that would be given again: rooms get new epochs.
  for _, name in ipairs(redis.call('HKEYS', ROOMS)) do
    redis.call('HDEL', ROOMS, name)
  end
end

-- What this call appends.
local log, said = {}, {}

local function append(of, number, what, payload)
  id = id + 1
  local header = id .. ' ' .. of .. ' ' .. number .. ' ' .. now_text .. ' ' .. what
  log[#log + 1] = header
  log[#log + 1] = payload
  return header
end

-- Writes it: all of it, or nothing if memory is missing. Before what says that it is there, so that
-- what fails is appended when it is sent again.
local function flush()
  local key = whole(era) .. '-' .. whole(id)
  if #said > 0 then
    redis.call('XADD', SAID, key, unpack(said))
  end
  if #log > 0 then
    redis.call('XADD', LOG, key, unpack(log))
  end
end

local nodes = {}

-- The record of a node that is there; else false.
local function node_of(which)
  if nodes[which] == nil then
    local epoch, last, deadline, entered, name =
      string.match(redis.call('HGET', NODES, which) or '', '^(%d+) (%d+) (%d+) (%d+) (.*)$')
    deadline = read(deadline)
    nodes[which] = deadline and read(last) and read(entered) and
      { epoch = epoch, last = last, deadline = deadline, entered = entered, name = name } or false
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
  local it = owner and node_of(owner)
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
    if it then
      it.deadline = it.deadline + gap
      keep_node(which)
    end
  end
end

local function remove_gone()
  for _, which in ipairs(redis.call('HKEYS', NODES)) do
    local it = node_of(which)
    if #which ~= 16 or string.find(which, '%X') then
      redis.call('HDEL', NODES, which)
    elseif which ~= node and (not it or it.deadline < now) then
      remove_node(which)
    end
  end
end

local function sweep_names()
  local found = redis.call('HSCAN', NAMES, whole(read(head[5]) or 0), 'COUNT', SWEEP)
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
    local seq, epoch = string.match(redis.call('HGET', ROOMS, name) or '', '^(%d+) (%d+)$')
    local is_known = read(seq) and read(epoch)
    rooms[name] = { seq = is_known and read(seq) or 0, epoch = is_known and epoch or nil }
  end
  return rooms[name]
end

-- What is done with an entry: its number, its payload, and as many words as the action takes.
local actions = {}
local words = { T = 0, S = 1, C = 3, O = 3, R = 4, A = 2, L = 0, K = 1 }

function actions.T(number, payload)
  append(node, number, 'T', payload)
end

function actions.S(number, payload, name)
  local room = room_of(name)
  room.seq = room.seq + 1
  room.epoch = room.epoch or now_text
  local what = 'S ' .. room.seq .. ' ' .. room.epoch
  said[#said + 1] = append(node, number, what, payload)
  said[#said + 1] = payload
end

local function is_held_by(user, name)
  local owner, its_user = holder(redis.call('HGET', NAMES, name))
  return owner == node and its_user == user
end

local function claim(number, payload, name, user, releases)
  if releases ~= '' and releases ~= name and is_held_by(user, releases) then
    redis.call('HDEL', NAMES, releases)
  end
  redis.call('HSET', NAMES, name, mine(user))
  append(node, number, 'C', payload)
end

function actions.C(number, payload, name, user, releases)
  if holder(redis.call('HGET', NAMES, name)) and not is_held_by(user, name) then
    append(node, number, 'X', payload)
    return
  end
  claim(number, payload, name, user, releases)
end

actions.O = claim

function actions.R(number, payload, name, user, heir, its_user)
  if is_held_by(user, name) then
    local it = heir ~= '' and node_of(heir)
    if it then
      redis.call('HSET', NAMES, name, heir .. ' ' .. its_user .. ' ' .. it.epoch)
    else
      redis.call('HDEL', NAMES, name)
    end
  end
  append(node, number, 'T', payload)
end

function actions.A(number, payload, name, seq)
  local room = room_of(name)
  room.seq = math.max(room.seq, tonumber(seq))
  append(node, number, 'T', payload)
end

function actions.L(number, payload)
  local block = 0
  while holder(redis.call('HGET', GUESTS, block)) do
    block = block + 1
  end
  redis.call('HSET', GUESTS, block, mine(0))
  append(node, number, 'B ' .. block, payload)
end

-- Blocks of an earlier epoch that are not asked for are nobody's.
function actions.K(number, payload, blocks)
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
    { epoch = my_epoch, last = 0, deadline = now + lease, entered = now_text, name = ARGV[FIRST] }
  keep_node(node)
  append(node, 0, 'E ' .. my_epoch, ARGV[FIRST])
  flush()
  redis.call('HSET', HEAD, 'id', whole(id))
  return { 'OK', whole(era), whole(before), my_epoch }
end

-- Whether the log is still what the node knows, and nobody else has written into it. Answers with
-- the newest id.
function commands.check()
  return { 'OK', whole(id) }
end

local function read_place(text)
  local its_era, its_id = string.match(text or '', '^(%d+)-(%d+)$')
  return read(its_era) and read(its_id) and text or '0-0'
end

-- Lines that are kept are counted from mark to mark: once there are enough since the newest mark,
-- those before it may go. Answers with the place up to which they may.
local function count_said(enough)
  local count, mark, next_mark = (read(head[6]) or 0) + #said / 2, read_place(head[7]), read_place(head[8])
  if #said == 0 then
    return mark
  end
  if count >= enough then
    count, mark, next_mark = 0, next_mark, whole(era) .. '-' .. whole(id)
  end
  redis.call('HSET', HEAD, 'said', count, 'mark', mark, 'next', next_mark)
  return mark
end

-- Takes 1 if it is a beat, else 0; how many lines are to be kept at least; and entries: number,
-- action, payload, and the words that the action takes. Answers with the newest id, and the place
-- up to which lines may be trimmed away.
function commands.append()
  local it = node_of(node)
  if not it or it.epoch ~= my_epoch then
    return { 'FENCED' }
  end
  extend_leases()
  it.deadline = now + lease
  if ARGV[FIRST] == '1' then
    remove_gone()
    sweep_names()
  end
  local i, last = FIRST + 2, tonumber(it.last)
  while ARGV[i] do
    local number, action = ARGV[i], ARGV[i + 1]
    -- What was appended before its answer was lost is sent again.
    if tonumber(number) > last then
      actions[action](number, unpack(ARGV, i + 2, i + 2 + words[action]))
      last, it.last = tonumber(number), number
    end
    i = i + 3 + words[action]
  end
  flush()
  for name, room in pairs(rooms) do
    redis.call('HSET', ROOMS, name, whole(room.seq) .. ' ' .. (room.epoch or now_text))
  end
  keep_node(node)
  local mark = count_said(tonumber(ARGV[FIRST + 1]))
  redis.call('HSET', HEAD, 'at', now_text, 'id', whole(id))
  local mark_era, mark_id = string.match(mark, '^(%d+)-(%d+)$')
  return { 'OK', whole(id), mark_era, mark_id }
end

-- The node is gone at once.
function commands.leave()
  local it = node_of(node)
  if not it or it.epoch ~= my_epoch then
    return { 'FENCED' }
  end
  remove_node(node)
  flush()
  redis.call('HSET', HEAD, 'id', whole(id))
  return { 'OK', whole(id) }
end

local function run()
  if era == 0 or has_forgotten() or (command ~= 'append' and is_overtaken()) then
    begin_era()
  end
  if command ~= 'enter' and era ~= known_era then
    -- If what the node has read is there still, what comes behind it is as well.
    return { 'ERA', whole(era), seen_now() == seen_header and '1' or '0' }
  end
  return commands[command]()
end

local is_done, answer = pcall(run)
if is_done then
  return answer
end
return { 'ERROR', type(answer) == 'table' and answer.err or tostring(answer) }
