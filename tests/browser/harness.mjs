// What the tests of the page stand on: the server, people with plain lines, a relay that can stall,
// and Chromium.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { chromium } from 'playwright-core';

export const DEADLINE_MS = 60000;

// ---- the server, and what stands between it and the browser ----

// The chat itself, with `web=` for the page and a plain listener for the others in these tests.
export async function startChat(args, operators, binary) {
  const chat = { port: 0, native: 0, operators, up, down, stop: down };
  let child, gone;
  async function up() {
    const listeners = ['-l', `web=127.0.0.1:${chat.port}`, '-l', `127.0.0.1:${chat.native}`, '-l', `op=unix:${operators}`];
    child = spawn(binary, ['-q', ...listeners, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    gone = once(child, 'exit');
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (said += text));
    await until('the server listens', () => said.includes(' (op)\n'));
    // After a restart it is where it was.
    [chat.port, chat.native] = ['web', 'native'].map((label) => Number(said.match(`:([0-9]+) \\(${label}\\)`)[1]));
  }
  async function down() {
    child.kill('SIGTERM');
    await gone;
  }
  await up();
  return chat;
}

// What the browser connects to. Stalled, it passes nothing on and closes nothing.
export async function startRelay(port) {
  const pairs = new Set();
  let isStalled = false;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const pair = [near, far];
    pairs.add(pair);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('data', (bytes) => {
        if (!to.write(bytes)) from.pause();
      });
      to.on('drain', () => isStalled || from.resume());
      from.on('error', () => {});
      from.on('close', () => to.destroy() && pairs.delete(pair));
    }
    if (isStalled) pair.forEach((socket) => socket.pause());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    stall(stalls) {
      isStalled = stalls;
      for (const socket of [...pairs].flat()) stalls ? socket.pause() : socket.resume();
    },
    cut: () => [...pairs].flat().forEach((socket) => socket.destroy()),
    stop: () => [...pairs].flat().forEach((socket) => socket.destroy()) ?? server.close(),
  };
}

export async function until(what, isSo) {
  const end = Date.now() + DEADLINE_MS;
  while (!(await isSo())) {
    assert.ok(Date.now() < end, `in vain waited that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

// Somebody with a plain line, at a port or a Unix socket.
export async function plain(where, name) {
  const socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where);
  await once(socket, 'connect');
  const one = { read: '', say: (...lines) => socket.write(lines.map((line) => `${line}\n`).join('')) };
  socket.setEncoding('utf8').on('data', (text) => (one.read += text)).on('error', () => {});
  one.reads = (text) => until(`${name} reads ${text}`, () => one.read.includes(text));
  one.go = () => socket.end();
  one.say(`/nick ${name}`);
  await one.reads(`You are now ${name}`);
  return one;
}

// ---- the browser ----

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  timeout: DEADLINE_MS,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
export const wrong = [];

export async function visit(port, { name, hash = '', ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 720 }, ...options });
  context.setDefaultTimeout(DEADLINE_MS);
  const page = await context.newPage();
  page.on('pageerror', (error) => wrong.push(error.stack));
  page.on('console', (message) => /Content.Security|TrustedHTML/.test(message.text()) && wrong.push(message.text()));
  await page.goto(`http://127.0.0.1:${port}/${hash}`);
  if (name) await introduce(page, name);
  return page;
}

export async function introduce(page, name, password = '') {
  await asksWho(page);
  await page.fill('[name=username]', name);
  await page.fill('[name=password]', password);
  await page.press('[name=password]', 'Enter');
  await holds(page, (name) => document.getElementById('name').textContent === name, name);
  // A page that has no token yet cannot come back; before the form is closed, it has the keys.
  await holds(page, () => document.activeElement?.id === 'text' && token);
  await settled(page);
}

// Somebody types only where something can be typed: the form opens, and a line leaves, after hello.
export const asksWho = (page) => holds(page, () => document.activeElement?.name === 'username');
export const settled = (page) => holds(page, () => phase === 'open' && current.isKnown && !wanted && !asked.length);

export async function type(page, ...lines) {
  await holds(page, () => phase === 'open');
  for (const line of lines) {
    await page.fill('#text', line);
    await page.press('#text', 'Enter');
  }
}

// The page's policy forbids Playwright's own way of waiting, which is eval().
export const holds = (page, condition, argument) => until(`it holds that ${condition}`, () => page.evaluate(condition, argument));
export const shows = (page, text) => holds(page, (text) => document.getElementById('log').textContent.includes(text), text);
export const texts = (page) => page.$$eval('#log .text', (nodes) => nodes.map((node) => node.textContent));
export const numbers = (page) =>
  page.$$eval('#log li', (all) => all.map((li) => li.seq).filter((seq) => seq && Number.isInteger(seq)));

export function assertInOrder(seqs) {
  assert.deepEqual(seqs, [...new Set(seqs)].sort((one, other) => one - other), 'each once, in order');
}
