'use strict';
// One WebSocket, a line of text each way: what people type, and the json dialect back. What others
// write reaches the document as textContent alone.

const KEPT_LINES = 500; // of a room, in the document
const FIRST_LINES = 200; // of history, when a room is entered
const TICK_MS = 5000; // whether the server answers
const DEAD_TICKS = 3; // without an answer: the connection is given up
const REFRESH_TICKS = 12; // between looks at who is here
const BACKOFF_MS = [500, 30000]; // between attempts: first, longest
const END = '='; // of an answer, see ask()
// A password, whatever the slash: privately it would be said.
const SECRET = /^\W*((un)?(protect|register)|passwd|password|nick\W+\S+)\W+\S/i;
const FETCHED = /^(registered|renamed|who|room|topic|no_topic|resume|lines_gone)$/; // not shown, then

const $ = (id) => document.getElementById(id);
let [tab, store] = [{}, {}];
try {
  [tab, store] = [sessionStorage, localStorage];
} catch {} // switched off: nothing is remembered

const rooms = new Map();
let current; // the room that is shown
let socket, retryTimer, sound;
let phase; // 'connecting', 'open' after hello, 'waiting' to try again, 'left' for good
let [attempts, silence, age] = [0, 0, 0]; // ticks since the server spoke, and since it was asked
let [asked, listed] = [[], []]; // questions under way; what /rooms has answered so far
let me = 'guest';
let wish = { name: '', password: '' }; // who to be after a reconnect
let token; // to come back with
let wanted; // a room to go to once there is a name
let isNameAsked = false;
let clock = Date.now(); // the server's, as of its last line
let [sent, unsure] = [[], []]; // what the server may not have yet; the same of a broken connection
let aim = ''; // whom the next lines are for
let unread = 0;
let isAtEnd = true;
let [isFrameDue, arePeopleDue] = [false, false];
let drawnHeight = 0; // of all lines, when last drawn

// ---- the connection ----

function connect() {
  clearTimeout(retryTimer);
  silence = 0;
  setPhase('connecting', attempts ? 'No connection; trying again…' : 'Connecting…');
  const attempt = new WebSocket(`${location.origin.replace('http', 'ws')}/ws`);
  attempt.onmessage = ({ data }) => attempt === socket && receive(JSON.parse(data));
  attempt.onclose = (event) => attempt === socket && lost(event);
  socket = attempt;
}

function lost({ code, reason }) {
  socket = undefined;
  asked = [];
  unsure.push(...sent.splice(0));
  if (phase === 'left') return;
  // Policy: a ban.
  if (code === 1008) return leave(reason || 'The server closed the connection.');
  if (code === 1009) inform('That was too long for a line.', 'error');
  const pause = Math.min(BACKOFF_MS[1], BACKOFF_MS[0] * 2 ** attempts++);
  setPhase('waiting', 'No connection; trying again…', 'Now');
  retryTimer = setTimeout(connect, pause * (0.5 + Math.random() / 2));
}

const send = (line) => socket?.readyState === WebSocket.OPEN && socket.send(line);

function setPhase(next, text = '', button = '') {
  phase = next;
  $('status-text').textContent = text;
  $('retry').textContent = button;
}

function leave(why) {
  keepToken('');
  setPhase('left', why, 'Come back');
}

// No answer has an end, but all are in order: what /down gives back ends it.
// Answers are shown if `loud` (somebody typed the question), errors unless the asker `takesErrors`.
function ask(lines, how) {
  if (phase !== 'open') return;
  for (const line of [...lines, `/down ${END}`]) send(line);
  asked.push({ errors: [], ...how });
}

function answered() {
  const { done, errors } = asked.shift();
  sent = []; // what came before the question has been heard
  done?.(errors);
  wantHistory(current);
}

function tick() {
  silence++;
  if (silence > DEAD_TICKS && (phase === 'connecting' || asked.length)) {
    const dead = socket; // which may take minutes to close
    lost({});
    dead.close();
  } else if (++age >= REFRESH_TICKS && phase === 'open') probe();
}

// A pong would not say what a frozen page has missed; the number of the last line does.
function probe() {
  age = 0;
  ask(['/history 1', '/who', '/rooms'], { done: showRooms });
}

function wake() {
  if (document.hidden) return;
  unread = 0;
  frame();
  if (phase === 'waiting') connect();
  else if (phase === 'open' && !asked.length) probe();
}

// ---- who and where we are ----

function greet({ to }) {
  setPhase('open');
  setName(to);
  if (!token) return introduce();
  const done = ([error]) => (error ? introduce() : settle());
  ask([`/resume ${token} ${current.last || ''} ${current.epoch || ''}`], { takesErrors: true, done });
}

// Takes the name and the room of before. Who has no name is asked for one, once.
function introduce() {
  keepToken('');
  if (current.name !== 'lobby') wanted = current.name;
  if (wish.name) return tryName(wish, false, settle);
  if (!isNameAsked) openNames();
  settle();
}

// Fetches what is shown. Who is being asked for a name stays: others would read of a guest.
function settle() {
  if (wanted && !$('names').open) return go(wanted);
  const done = () => {
    attempts = 0;
    current.isKnown = true;
    current.list.ariaLive = 'polite'; // what was said before need not be read out
    showRooms();
    giveBack();
  };
  ask([`/history ${current.isKnown ? 1 : FIRST_LINES}`, '/topic', '/who', '/rooms'], { done });
}

function go(room) {
  wanted = '';
  openSide(false);
  ask([`/join ${room}`], { loud: true, joins: true, done: settle });
}

function tryName(next, isNew, done) {
  const { name, password } = next;
  const named = ([error]) => {
    if (error) openNames(error, isNew);
    else keepName(next);
    done?.();
  };
  ask([isNew ? `/protect ${password}` : `/nick ${name} ${password}`.trim()], { takesErrors: true, done: named });
}

function keepName(next) {
  wish = next;
  $('names').close();
  // Otherwise Chromium offers to keep it only when the page is left.
  if (!next.password || !window.PasswordCredential) return;
  navigator.credentials.store(new PasswordCredential({ id: next.name, ...next })).catch(() => {});
}

// One form for both: a browser fills in an old password, or makes a new one.
function openNames(error = '', isNew = false) {
  const { username, password } = $('names-form');
  isNameAsked = true;
  $('names').className = isNew ? 'new' : 'old';
  $('names-error').textContent = error;
  username.value = isNew ? me : wish.name || store.name || '';
  username.readOnly = password.required = isNew;
  Object.assign(password, { value: '', autocomplete: isNew ? 'new-password' : 'current-password' });
  if (!$('names').open) $('names').showModal();
}

function setName(name) {
  current.people.delete(me);
  current.people.add(name);
  arePeopleDue = true;
  me = $('name').textContent = name;
  $('protect').hidden = !isNamed();
  frame();
}

const isNamed = () => !/^guest(-\d+)?$/.test(me);

function renamed(text) {
  setName(text.replace(/^(You are now|Registered as) /, ''));
  if (!isNamed()) return;
  if (wish.name !== me) wish = { name: me, password: '' };
  store.name = me;
  ask(['/resume']); // a token is good for one return
}

// For this tab: reloading comes back, too.
function keepToken(next) {
  token = next;
  tab.session = JSON.stringify({ token, name: me, room: current.name });
}

function roomCalled(name) {
  if (!rooms.has(name)) {
    const list = Object.assign(make('ol'), { role: 'log', ariaLive: 'off', ariaLabel: `Messages in ${name}` });
    rooms.set(name, {
      name, list, people: new Set(), others: '', topic: '',
      last: 0, known: new Map(), missing: new Set(), // by number
      floor: 0, isKnown: false,
    });
  }
  return rooms.get(name);
}

function setRoom(room) {
  current = room;
  $('log').replaceChildren(room.list);
  $('room').textContent = room.name;
  history.replaceState(null, '', room.name === 'lobby' ? location.pathname : `#${room.name}`);
  if (token) keepToken(token);
  isAtEnd = arePeopleDue = true;
  frame();
}

// ---- what the server says ----

function receive(message) {
  silence = 0;
  clock = message.at;
  const { type, code, text } = message;
  const heard = {
    hello: greet, reply: replied, private: saidPrivately,
    say: said, me: said, topic: said, join: moved, leave: moved, rename: moved,
  }[type];
  if (heard) return heard(message);
  if (type === 'skipped') return asked.length || probe();
  if (type === 'error') asked[0]?.errors.push(text);
  if (code === 'replaced') return leave('You are here from elsewhere; this page made way.');
  if (/^(kicked|banned)$/.test(code) && text.startsWith(`${me} was `)) leave(text);
  if (type === 'notice' || !asked[0]?.takesErrors) inform(text, type);
}

function replied({ code, text }) {
  if (text === END && asked.length) return answered();
  const { loud = !asked.length, joins } = asked[0] ?? {};
  if (code === 'registered' || code === 'renamed') renamed(text);
  else if (code === 'resume' && !loud) keepToken(text.split(' ').pop());
  else if (code === 'who' && (joins || !loud)) return listPeople(text);
  else if (code === 'room') listed.push(text.split(' '));
  else if (/topic/.test(code)) current.topic = code === 'topic' ? text.replace('Topic: ', '') : '';
  else if (code === 'away' || code === 'back') $('away').checked = code === 'away';
  else if (code === 'bye') return leave('You have left.');
  if (loud || !FETCHED.test(code)) inform(text);
}

// "3 in games: alice, bob and 1 more (and 40 silent)"
function listPeople(text) {
  const [, name, names, others] = text.match(/ in ([^ :]+):? ?(.*?)((?: and \d+ more)?(?: \(.*)?)$/);
  const room = roomCalled(name);
  Object.assign(room, { people: new Set(names.split(', ').filter(Boolean)), others });
  arePeopleDue = true;
  if (room !== current) setRoom(room);
  frame();
}

function moved({ type, room: name, from, to = from }) {
  const room = roomCalled(name);
  room.people.delete(from);
  if (type !== 'leave') room.people.add(to);
  arePeopleDue = true;
  let li = room.list.lastElementChild;
  if (!li?.moves) {
    li = Object.assign(make('li', 'fold'), { moves: [] });
    put(room, li, clock);
  }
  const { moves } = li;
  moves.push(`${from} ${{ rename: `is now ${to}`, join: 'joined', leave: 'left' }[type]}`);
  if (moves.length > 200) moves.shift(); // a crowd all night
  const open = li.querySelector('details')?.open;
  const summary = make('summary', '', `${moves.at(-1)}, and ${moves.length - 1} more`);
  const list = make('ul', '', ...moves.map((move) => make('li', '', move)));
  li.replaceChildren(stamp(li.at), moves.length < 3 ? moves.join('; ') : Object.assign(make('details', '', summary, list), { open }));
}

// ---- the lines of a room ----

function said(message) {
  const { seq, at, from, type, epoch, text = '' } = message;
  const room = roomCalled(message.room);
  const before = room.known.get(seq) ?? room.known.get(room.last);
  if (seq <= room.last && at > before?.at && epoch !== before.epoch) startAnew(room, epoch);
  const isNew = !(seq <= room.last); // also without a number
  // Another epoch's numbers go on or begin anew: whose the last known one is then tells.
  let gone = room.last + (room.last && epoch !== room.epoch ? 0 : 1);
  for (; gone < seq && room.isKnown; gone++) room.missing.add(gone);
  if (isNew && seq) Object.assign(room, { epoch, last: seq });
  const wasMissing = room.missing.delete(seq);
  room.heard++;
  if (room.known.has(seq) || seq < room.floor) return;
  // While a server is cut off there are none; what has got through comes again with one.
  const line = from + text;
  const twin = wasMissing && [...room.list.children].find((one) => !one.epoch && one.line === line);
  const li = Object.assign(twin || spoken(message), { seq, epoch, line });
  if (seq) room.known.set(seq, li);
  if (twin) return;
  put(room, li, at);
  if (isNew) {
    if (type === 'topic') room.topic = text;
    arePeopleDue ||= room.isKnown && room.people.size !== room.people.add(from).size;
    wantHistory(room);
  }
  if (from === me) return cameBack(text);
  const name = me.replaceAll('.', '\\.');
  const isMention = isNamed() && new RegExp(`(^|[^\\w.-])${name}(?![\\w-]|\\.\\w)`, 'i').test(text);
  li.classList.toggle('mention', isMention);
  if (room.isKnown && (isNew || wasMissing)) noteUnread(li, isMention);
}

// What was said stays where it is.
function startAnew(room, epoch) {
  for (const [seq, li] of room.known) {
    if (li.epoch === epoch) continue;
    li.seq = 0;
    room.known.delete(seq);
  }
  Object.assign(room, { epoch, last: 0, floor: 0, missing: new Set() });
}

function wantHistory(room, factor = 1) {
  // Only the room that one is in can be asked about.
  if (!room.missing.size || room !== current || asked.some(({ joins, fills }) => joins || fills === room)) return;
  const { last, missing: [first] } = room;
  // More than is missing: others go on talking meanwhile.
  const size = (last - first + 21) * factor;
  room.heard = 0;
  const done = () => {
    const gone = [...room.missing].filter((seq) => seq < last);
    if (!gone.length) return;
    if (room.heard >= size) return wantHistory(room, factor * 2);
    for (const seq of gone) room.missing.delete(seq);
    const li = make('li', 'gap', `${gone.length} not shown: ignored, or no longer kept`);
    li.seq = gone.at(-1) + 0.5;
    put(room, li, room.known.get(gone.at(-1) + 1)?.at ?? clock);
  };
  ask([`/history ${size}`], { fills: room, done });
}

// At the end, but for what was missing; what has no number stands by its time.
function put(room, li, at) {
  li.at = at;
  let before = room.list.lastElementChild;
  const isLater = (one) => (one.seq ? one.seq > li.seq : one.at > at);
  while (li.seq && before && isLater(before)) before = before.previousElementSibling;
  if (before) before.after(li);
  else room.list.prepend(li);
  join(li);
  if (li.nextElementSibling) join(li.nextElementSibling);
  if (room.list.childElementCount > KEPT_LINES * (isAtEnd ? 1.2 : 4)) prune(room);
  frame();
}

// A speaker's next line needs no name; a new day is said.
function join(li) {
  const before = li.previousElementSibling;
  const [day, dayBefore] = [li, before].map((one) => one && new Date(one.at).toDateString());
  if (day === dayBefore) delete li.dataset.day;
  else li.dataset.day = new Date(li.at).toLocaleDateString([], { dateStyle: 'full' });
  const isSoon = day === dayBefore && li.at - before.at < 300000;
  li.classList.toggle('same', isSoon && !!li.from && before.from === li.from);
}

// Old lines leave the document, which stays fast. Only a typed /history brings them back.
function prune(room) {
  const { list, known } = room;
  while (list.childElementCount > KEPT_LINES) {
    const li = list.firstElementChild;
    if (known.delete(li.seq)) room.floor = li.seq + 1;
    li.remove();
  }
  join(list.firstElementChild);
  if (room === current) drawFrame();
}

// ---- how it looks ----

function make(tag, className = '', ...children) {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children);
  return node;
}

function stamp(at) {
  const date = new Date(at);
  return Object.assign(make('time', '', date.toTimeString().slice(0, 5)), { title: date.toLocaleString() });
}

function person(name) {
  const node = make('span', 'from', name);
  const hue = [...name.toLowerCase()].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 360, 7);
  node.style.setProperty('--hue', hue);
  return node;
}

function spoken({ type, at, from, to, text }) {
  if (type === 'topic') text = text ? `set the topic: ${text}` : 'cleared the topic';
  const label = type === 'private' ? `privately to ${from === me ? to : 'you'} ` : '';
  const li = make('li', type, stamp(at), person(from), make('small', '', label), linked(text));
  if (type === 'say') li.from = from;
  return li;
}

function saidPrivately(message) {
  const li = spoken(message);
  put(current, li, message.at);
  if (message.from === me) cameBack(message.text);
  else noteUnread(li, true);
}

const inform = (text, kind = 'reply') => put(current, make('li', kind, stamp(clock), text), clock);

function linked(text) {
  const node = make('span', 'text');
  let end = 0;
  // Without what ends a sentence; to cut that off would be slow.
  for (let { 0: href, index } of text.matchAll(/\bhttps?:\/\/[^\s<>"]*[^\s<>".,;:!?'*_]/gi)) {
    if (href.endsWith(')') && !href.includes('(')) href = href.slice(0, -1);
    // One with a user in front of its host is there to mislead.
    if (!URL.canParse(href) || new URL(href).username) continue;
    const link = Object.assign(make('a', '', href), { href, target: '_blank', rel: 'noopener noreferrer' });
    node.append(text.slice(end, index), link);
    end = index + href.length;
  }
  node.append(text.slice(end));
  return node;
}

function noteUnread(li, isForMe) {
  if (document.hasFocus() && !document.hidden) return;
  if (!unread++) {
    document.querySelector('li.new')?.remove();
    const line = Object.assign(make('li', 'new', 'new'), { at: li.at, seq: li.seq && li.seq - 0.25 });
    li.before(line);
    [line, li].forEach(join);
  }
  if (isForMe && $('bell').checked) ring();
}

function ring() {
  sound ??= new AudioContext();
  sound.resume();
  const tone = new OscillatorNode(sound, { frequency: 880 });
  tone.connect(new GainNode(sound, { gain: 0.1 })).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.15);
}

// What needs the layout is done once a frame. A hidden tab has no frames.
function frame() {
  if (isFrameDue) return;
  isFrameDue = true;
  if (document.hidden) setTimeout(drawFrame, 100);
  else requestAnimationFrame(drawFrame);
}

function drawFrame() {
  isFrameDue = false;
  document.title = `${unread ? `(${unread}) ` : ''}${current.name} – chinwag`;
  $('topic').textContent = $('topic').title = current.topic;
  if (arePeopleDue) showPeople(current);
  drawnHeight = $('scroller').scrollHeight;
  if (isAtEnd) $('scroller').scrollTop = drawnHeight;
  $('jump').hidden = isAtEnd;
}

function showPeople({ people, others }) {
  arePeopleDue = false;
  const names = [...people].sort(new Intl.Collator().compare);
  fill('people', names.map((name) => [person(name), name === me && 'you', false, () => aimAt(name)]));
  $('more').textContent = others;
  $('count').textContent = `${names.length}${others && '+'} here`;
}

function showRooms() {
  if (!listed.length) return;
  fill('rooms', listed.map(([name, count]) => [`# ${name}`, count, name === current.name, () => go(name)]));
  listed = [];
}

function fill(id, buttons) {
  const focused = [...$(id).children].indexOf(document.activeElement.parentNode);
  $(id).replaceChildren(...buttons.map(([label, more, ariaCurrent, onclick]) =>
    make('li', '', Object.assign(make('button', '', label, make('small', '', more || '')), { ariaCurrent, onclick }))));
  if (focused >= 0) $(id).children[focused]?.firstChild.focus();
}

// ---- what people type ----

function submit(line) {
  const [, command = '', rest = ''] = line.match(/^\/([a-z]+)\s*(.*)$/i) ?? [];
  const [name, ...password] = rest.split(' ');
  switch (command.toLowerCase()) {
    case '': break;
    case 'nick': return name ? tryName({ name, password: password.join(' ') }) : openNames();
    case 'protect': return rest ? tryName({ name: me, password: rest }, true) : openNames('', true);
    case 'join': case 'leave': return go(rest || 'lobby');
    case 'dialect': return inform('This page needs json.', 'error');
    case 'history': current.floor = 0; // falls through
    default: return ask([line], { loud: true, done: showRooms });
  }
  if (aim && SECRET.test(line.normalize('NFKC'))) return inform('Not said, for there may be a password in it.', 'error');
  if (aim || !/^(register|send|quit|exit)\b/i.test(line)) sent.push(line.trim());
  send(aim ? `/msg ${aim} ${line}` : line);
}

// What was under way when the connection broke, and has not been said.
function giveBack() {
  if (!unsure.length) return;
  inform('Perhaps not delivered; it is below again.', 'error');
  $('text').value = [...unsure.splice(0), $('text').value].join('\n').trim();
}

// So have those that were sent before it.
const cameBack = (text) => [unsure, sent].forEach((lines) => lines.splice(0, lines.indexOf(text) + 1));

function aimAt(name) {
  aim = name;
  $('aim').textContent = name && `To ${name} alone ✕`;
  openSide(false);
  $('text').focus();
}

function say() {
  $('text').value.split('\n').map((line) => line.trim()).filter(Boolean).forEach(submit);
  $('text').value = '';
  clicks.jump();
}

function openSide(isOpen) {
  $('side').classList.toggle('open', isOpen);
  $('menu').ariaExpanded = isOpen;
}

const clicks = {
  skip: () => $('names').close(),
  name: () => openNames(),
  protect: () => openNames('', true),
  leave: () => send('/exit'),
  menu: () => openSide(!$('side').classList.contains('open')),
  aim: () => aimAt(''),
  retry: connect,
  jump: () => frame(isAtEnd = true),
};
document.onclick = ({ target }) => {
  clicks[target.id]?.();
  if (target.className === 'from' && $('log').contains(target)) aimAt(target.textContent);
  if (target.id !== 'menu' && !$('side').contains(target)) openSide(false);
};
document.onsubmit = (event) => {
  event.preventDefault();
  const { id, room, username, password } = event.target;
  if (id === 'composer' && phase === 'open') say(); // otherwise what is written stays
  if (id === 'names-form') tryName({ name: username.value, password: password.value }, username.readOnly);
  if (id !== 'join') return;
  go(room.value);
  event.target.reset();
};
$('names').onclose = () => {
  if (wanted) go(wanted);
  $('text').focus();
};
$('away').onchange = ({ target }) => send(target.checked ? '/away not at the keyboard' : '/away');
$('bell').onchange = ({ target }) => {
  store.bell = target.checked ? 'on' : '';
  if (target.checked) ring();
};
$('text').onkeydown = (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $('composer').requestSubmit();
};
$('scroller').onscroll = ({ target }) => {
  // Lines that came since then do not count.
  isAtEnd = drawnHeight - target.scrollTop - target.clientHeight < 40;
  $('jump').hidden = isAtEnd;
};
new ResizeObserver(frame).observe($('scroller'));
onhashchange = () => go(location.hash.slice(1) || 'lobby');
document.onvisibilitychange = wake;
document.addEventListener('resume', wake); // of a tab that Chromium had frozen
for (const event of ['online', 'focus', 'pageshow']) addEventListener(event, wake);

const kept = JSON.parse(tab.session ?? '{}');
if (kept.token) ({ token, name: wish.name } = kept);
wanted = location.hash.slice(1) || (token ? kept.room : '');
$('bell').checked = store.bell === 'on';
setRoom(roomCalled(token ? kept.room : 'lobby'));
setInterval(tick, TICK_MS);
connect();
