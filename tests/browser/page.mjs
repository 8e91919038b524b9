// The page in a real Chromium. Run by .ci/browser, which see.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { runInNewContext } from 'node:vm';
import {
  DEADLINE_MS, asksWho, assertInOrder, browser, holds, introduce, numbers, plain, settled, shows, startChat,
  startRelay, texts, type, until, visit, wrong,
} from './harness.mjs';

const [binary, pictures, wanted = ''] = process.argv.slice(2);
const scratch = mkdtempSync(`${tmpdir()}/chinwag-page-`);
mkdirSync(pictures, { recursive: true });

const tests = {
  async 'the page is one answer of at most 30 KB, and asks for nothing else'({ relay }) {
    const answer = await fetch(`http://127.0.0.1:${relay.port}/`);
    assert.ok((await answer.arrayBuffer()).byteLength <= 30 * 1024);
    assert.match(answer.headers.get('content-security-policy'), /^default-src 'none';/);
    const context = await browser.newContext();
    const page = await context.newPage();
    const requests = [];
    page.on('request', (request) => request.url().startsWith('data:') || requests.push(new URL(request.url()).pathname));
    await page.goto(`http://127.0.0.1:${relay.port}/`);
    await holds(page, () => phase === 'open');
    assert.deepEqual(requests, ['/']);
  },

  async 'two people talk, alone too, and go to another room'({ relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    const bob = await visit(relay.port, { name: 'bob' });
    await type(alice, 'hello bob');
    await shows(bob, 'hello bob');
    await type(bob, '/me waves');
    await shows(alice, 'waves');
    await bob.click('#people button:has-text("alice")');
    await type(bob, 'just between us');
    await shows(alice, 'just between us');
    assert.equal(await alice.textContent('.private small'), 'privately to you ');
    for (const slip of ['protect hunter22', '\u200b/nick alice hunter22', '／ｐｒｏｔｅｃｔ hunter22']) {
      await type(bob, slip);
      await holds(bob, () => document.querySelector('#log li:last-child').textContent.includes('Not said'));
    }
    await type(bob, ' /me nods');
    await shows(alice, 'nods');
    assert.ok(!(await texts(alice)).some((text) => text.includes('hunter22')), 'a password is said to nobody');
    await bob.click('#aim');
    await type(alice, '/topic tea & cake');
    await holds(bob, () => document.getElementById('topic').textContent === 'tea & cake');
    await type(bob, '/join games');
    await holds(bob, () => location.hash === '#games');
    await shows(alice, 'bob left');
    await type(bob, 'anybody for chess?');
    await alice.fill('[name=room]', 'games');
    await alice.press('[name=room]', 'Enter');
    await shows(alice, 'anybody for chess?');
    await alice.click('#rooms button:has-text("lobby")');
    await shows(alice, 'hello bob');
    const seqs = await numbers(alice);
    assertInOrder(seqs);
    assert.ok(!(await texts(alice)).includes('anybody for chess?'), 'rooms are kept apart');
  },

  async 'what looks like HTML or an address stays text, and only web addresses are links'({ chat, relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    const lines = [
      '<img src=x onerror="document.title=1"><script>document.title=2</script>',
      'javascript:alert(1) data:text/html,x //evil.example ftp://x.example',
      'see https://example.org/a(b)?q=<b>&x="y". And http://example.org/c), http://who@example.org/',
      `&lt;b&gt; \u0007\u001b[31mred \u202eback \u2028 ${'w'.repeat(900)}`,
      '__proto__ constructor {{1+1}} ${1+1}',
    ];
    const mallory = await plain(chat.native, 'mallory');
    mallory.say(...lines, '/topic <b>bold</b>', '/join <b>', '/msg alice <i>you</i>', '/nick __proto__', 'the end');
    await shows(alice, 'the end');
    const links = await alice.$$eval('#log a', (all) => all.map((a) => [a.href, a.rel, a.target]));
    const how = ['noopener noreferrer', '_blank'];
    assert.deepEqual(links, [['https://example.org/a(b)?q=', ...how], ['http://example.org/c', ...how]]);
    const tags = await alice.$$eval('#log *', (all) => [...new Set(all.map((node) => node.localName))].sort());
    assert.deepEqual(tags.filter((tag) => !['a', 'li', 'ol', 'small', 'span', 'time'].includes(tag)), []);
    assert.equal((await texts(alice))[0], lines[0]);
    await holds(alice, () => document.title === 'lobby – chinwag');
    assert.ok(await alice.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is too wide');
    await alice.setViewportSize({ width: 320, height: 600 });
    await type(alice, `/join ${'W'.repeat(32)}`);
    await holds(alice, () => current.name.startsWith('W'));
    assert.ok(await alice.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nor on a small phone');
    alice.removeAllListeners('console'); // the policy will say so, some time
    const isRefused = await alice.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.body.append(script);
      return window.ran !== true;
    }).catch(() => true);
    assert.ok(isRefused, 'the policy lets nothing else run');
  },

  // Chromium's regular expressions do well with what others look through again from each letter on.
  async 'a long address holds nobody up, in other browsers either'({ chat }) {
    const page = await (await fetch(`http://127.0.0.1:${chat.port}/`)).text();
    const [source] = page.match(/function linked[^]*?\n}\n/);
    const dots = '.'.repeat(500_000);
    const make = (tag) => ({ tag, children: [], append(...more) { this.children.push(...more); } });
    const world = { URL, make, text: `http://x/${dots}x, http://y/${dots}` };
    const { children } = runInNewContext(`${source} linked(text)`, world, { timeout: DEADLINE_MS });
    assert.deepEqual(children.map((child) => child.href?.length), [undefined, 500_010, undefined, 9, undefined]);
  },

  async 'a connection that died in silence is given up, and what was missed is shown once'({ chat, relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    const bob = await plain(chat.native, 'bob');
    bob.say('before');
    await shows(alice, 'before');
    relay.stall(true);
    bob.say('missed 1', 'missed 2', 'missed 3');
    await bob.reads('missed 3');
    await alice.evaluate(() => dispatchEvent(new Event('online')));
    await holds(alice, () => document.getElementById('status-text').textContent);
    relay.cut();
    relay.stall(false);
    await shows(alice, 'missed 3');
    bob.say('after');
    await shows(alice, 'after');
    assert.deepEqual(await texts(alice), ['before', 'missed 1', 'missed 2', 'missed 3', 'after']);
    assert.ok(!bob.read.includes('alice left'), 'they came back as themselves');
    assert.equal(await alice.textContent('#name'), 'alice');
  },

  async 'a tab that was frozen shows what it missed when it wakes'({ chat, relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    const bob = await plain(chat.native, 'bob');
    bob.say('before');
    await shows(alice, 'before');
    // Chromium's own freezing wants a window; a renderer that is stopped is as frozen as can be.
    const devtools = await browser.newBrowserCDPSession();
    const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    assert.ok(renderers.length > 0);
    renderers.forEach((id) => process.kill(id, 'SIGSTOP'));
    bob.say(...Array.from({ length: 30 }, (_, number) => `missed ${number}`));
    await bob.reads('missed 29');
    relay.cut();
    renderers.forEach((id) => process.kill(id, 'SIGCONT'));
    await shows(alice, 'missed 29');
    assert.deepEqual((await texts(alice)).slice(1), Array.from({ length: 30 }, (_, number) => `missed ${number}`));
  },

  async 'a restart of the server leaves everybody where and who they were'({ chat, relay }) {
    const alice = await visit(relay.port, { name: 'alice', hash: '#games' });
    await holds(alice, () => document.getElementById('room').textContent === 'games');
    await type(alice, 'before', 'before too');
    await shows(alice, 'before too');
    await chat.down();
    await holds(alice, () => document.getElementById('status-text').textContent);
    await chat.up();
    const bob = await plain(chat.native, 'bob');
    bob.say('/join games', 'first', 'second');
    await shows(alice, 'second');
    await type(alice, 'here again');
    await bob.reads('[alice] here again');
    await shows(alice, 'here again');
    assert.deepEqual(await texts(alice), ['before', 'before too', 'first', 'second', 'here again']);
  },

  // What a node of a cluster says whose Redis has forgotten, and while it is out of reach.
  async 'lines whose numbers go on under another epoch, or have none, are shown once'({ relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    await type(alice, 'one', 'two');
    await shows(alice, 'two');
    await settled(alice);
    const line = { type: 'say', room: 'lobby', from: 'bob', at: Date.now() };
    const hears = (...said) => alice.evaluate((lines) => lines.forEach(receive), said.map((one) => ({ ...line, ...one })));
    await hears({ text: 'a' }, { text: 'b' }, { text: 'three', seq: 3, epoch: 7 }, { text: 'four', seq: 4, epoch: 7 });
    await type(alice, '/history');
    await settled(alice);
    // What it has heard before it had a number is missing, and comes with the history.
    await hears({ text: 'six' }, { text: 'seven', seq: 7, epoch: 7 }, { text: 'six', seq: 6, epoch: 7 }, { text: 'five', seq: 5, epoch: 7 });
    await settled(alice);
    assert.deepEqual(await texts(alice), ['one', 'two', 'a', 'b', 'three', 'four', 'five', 'six', 'seven']);
    assert.equal(await alice.$('.gap'), null);
  },

  async 'a reload comes back as the same user'({ chat, relay }) {
    const bob = await plain(chat.native, 'bob');
    bob.say('/notices on');
    const alice = await visit(relay.port, { name: 'alice' });
    await type(alice, '/join games', 'hello');
    await shows(alice, 'hello');
    await holds(alice, () => JSON.parse(sessionStorage.session).room === 'games');
    await alice.reload();
    await shows(alice, 'hello');
    await settled(alice);
    assert.equal(await alice.textContent('#name'), 'alice');
    assert.equal(await alice.textContent('#room'), 'games');
    assert.deepEqual(await texts(alice), ['hello']);
  },

  async 'a slow line misses lines, gets those that are kept, and is told how many are not'({ chat, relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    const bob = await plain(chat.native, 'bob');
    bob.say('/echo off', 'first');
    await shows(alice, 'first');
    relay.stall(true);
    let said = 1;
    await until('the server skips lines', async () => {
      const lines = Array.from({ length: 250 }, () => `${++said} ${'x'.repeat(3900)}`);
      bob.read = '';
      bob.say(...lines, '/stats');
      await bob.reads('skipped');
      return !bob.read.includes(' 0 skipped');
    });
    relay.stall(false);
    bob.say('last');
    await shows(alice, 'last');
    await holds(alice, () => !asked.length && !current.missing.size);
    const seqs = await numbers(alice);
    assertInOrder(seqs);
    const markers = await alice.$$eval('#log .gap', (all) => all.map((li) => [li.seq, parseInt(li.textContent, 10)]));
    let before = seqs[0] - 1;
    let lacking = 0;
    for (const seq of seqs) {
      lacking += seq - before - 1;
      before = seq;
    }
    assert.equal(before, said + 1, 'the last line is there');
    assert.equal(markers.reduce((sum, [, count]) => sum + count, 0), lacking, 'what lacks is counted');
  },

  async 'ten thousand lines leave the document as small and as fast as before'({ chat, relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    const bob = await plain(chat.native, 'bob');
    bob.say('/echo off');
    const pace = [];
    for (let part = 0; part < 10; part++) {
      const start = Date.now();
      bob.say(...Array.from({ length: 1000 }, (_, number) => `line ${part * 1000 + number + 1} of many`));
      await shows(alice, `line ${(part + 1) * 1000} of many`);
      pace.push(Date.now() - start);
    }
    assert.ok((await alice.$$('#log > ol > li')).length <= 600, 'old lines leave');
    const seqs = await numbers(alice);
    assertInOrder(seqs);
    assert.equal(seqs.at(-1), 10000);
    await type(alice, '/history 30');
    await holds(alice, () => !asked.length);
    assertInOrder(await numbers(alice));
    console.log(`    ms for each thousand: ${pace.join(' ')}`);
  },

  async 'a protected name is had with its password, and the page before makes way'({ relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    await alice.click('#protect');
    assert.equal(await alice.getAttribute('[name=password]', 'autocomplete'), 'new-password');
    await alice.fill('[name=password]', 'correct horse');
    await alice.press('[name=password]', 'Enter');
    await holds(alice, () => !document.getElementById('names').open);
    const other = await visit(relay.port);
    await other.fill('[name=username]', 'alice');
    await other.press('[name=username]', 'Enter');
    await holds(other, () => document.getElementById('names-error').textContent);
    assert.equal(await other.getAttribute('[name=password]', 'autocomplete'), 'current-password');
    await introduce(other, 'alice', 'correct horse');
    await holds(alice, () => document.getElementById('status-text').textContent.includes('made way'));
    const shown = await alice.content() + await other.content();
    assert.ok(!shown.includes('correct horse'), 'no password is shown');
  },

  async 'whoever is kicked stays away until they want to come back'({ chat, relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    const operator = await plain(chat.operators, 'ann');
    operator.say('/kick alice too loud');
    await holds(alice, () => document.getElementById('status-text').textContent.includes('too loud'));
    await alice.click('#retry');
    await type(alice, 'sorry');
    await operator.reads('[alice] sorry');
  },

  async 'a name that cannot be had is asked for again, with the reason'({ chat, relay }) {
    await plain(chat.native, 'bob');
    const alice = await visit(relay.port);
    for (const [name, reason] of [['bob', 'taken'], ['admin', 'reserved'], ['a!b', 'letter']]) {
      await alice.fill('[name=username]', name);
      await alice.press('[name=username]', 'Enter');
      await holds(alice, (reason) => document.getElementById('names-error').textContent.includes(reason), reason);
    }
    await introduce(alice, 'alice');
  },

  async 'what was being said when the connection broke is not lost'({ chat, relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    const bob = await plain(chat.native, 'bob');
    relay.stall(true);
    await type(alice, 'into the void');
    relay.cut();
    relay.stall(false);
    await shows(alice, 'Perhaps not delivered');
    assert.equal(await alice.inputValue('#text'), 'into the void');
    await alice.press('#text', 'Enter');
    await bob.reads('[alice] into the void');
  },

  async 'a line that is too long comes back, with the reason'({ relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    await type(alice, 'x'.repeat(5000));
    await shows(alice, 'That was too long for a line.');
    await shows(alice, 'it is below again');
    assert.equal(await alice.inputValue('#text'), 'x'.repeat(5000));
  },

  async 'who looks elsewhere sees in the title how much they miss, and whoever is mentioned hears it'({ chat, relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    await alice.check('#bell');
    await alice.evaluate(() => {
      document.hasFocus = () => false;
      ring = () => (window.rang = (window.rang ?? 0) + 1);
    });
    const bob = await plain(chat.native, 'bob');
    bob.say('hello all', 'ALICE: lunch?', 'malice aforethought, alice2', '/msg alice psst');
    await holds(alice, () => document.title === '(4) lobby – chinwag');
    assert.equal(await alice.evaluate(() => window.rang), 2);
    assert.deepEqual(await alice.$$eval('#log .mention .text', (all) => all.map((node) => node.textContent)), ['ALICE: lunch?']);
    assert.equal((await alice.$$('#log .new')).length, 1);
    await alice.evaluate(() => dispatchEvent(new Event('focus')));
    await holds(alice, () => document.title === 'lobby – chinwag');
  },

  async 'comings and goings are folded'({ chat, relay }) {
    const alice = await visit(relay.port, { name: 'alice' });
    for (const name of ['bob', 'carol', 'dave', 'erin']) (await plain(chat.native, name)).go();
    await shows(alice, 'erin left');
    assert.equal((await alice.$$('#log > ol > li.fold')).length, 1);
    assert.ok((await alice.textContent('#log summary')).endsWith('more'));
  },

  async 'everything can be done by keyboard, and is called something'({ relay }) {
    const alice = await visit(relay.port);
    await asksWho(alice);
    await alice.keyboard.type('alice');
    await alice.keyboard.press('Enter');
    await holds(alice, () => document.activeElement?.id === 'text');
    await alice.keyboard.type('by hand');
    await alice.keyboard.press('Enter');
    await shows(alice, 'by hand');
    const nameless = await alice.$$eval('button, input, textarea, nav', (all) => all.filter((node) =>
      node.checkVisibility() && !(node.textContent.trim() || node.ariaLabel || node.labels?.length || node.getAttribute('aria-labelledby'))).map((node) => node.outerHTML));
    assert.deepEqual(nameless, []);
    assert.equal(await alice.getAttribute('#log ol', 'role'), 'log');
    assert.equal(await alice.getAttribute('#log ol', 'aria-live'), 'polite');
  },

  async 'pictures'({ chat, relay }) {
    const bob = await plain(chat.native, 'bob');
    const carol = await plain(chat.native, 'carol');
    const dave = await plain(chat.native, 'dave');
    dave.say('/join games', 'anyone for chess?');
    bob.say('/topic Friday is cake day');
    for (const [who, ...lines] of [
      [bob, 'morning, everybody', 'the new build is out: https://example.org/releases'],
      [carol, 'that was quick! does it run on the old box, the one under the stairs that nobody dares to switch off?'],
      [bob, 'it does, I tried it last night', '/me bows'],
    ]) {
      who.say(...lines);
      await until('it is said', () => carol.read.includes(lines.at(-1).replace('/me ', '')));
    }
    for (const [name, options] of Object.entries({
      'desktop-light': {}, 'desktop-dark': { colorScheme: 'dark' },
      'phone-light': { viewport: { width: 390, height: 760 }, hasTouch: true, isMobile: true },
      'phone-dark': { viewport: { width: 390, height: 760 }, hasTouch: true, isMobile: true, colorScheme: 'dark' },
    })) {
      const alice = await visit(relay.port, options);
      await shows(alice, 'bows');
      await alice.screenshot({ path: `${pictures}/${name}-hello.png` });
      await introduce(alice, 'alice');
      await type(alice, 'good morning');
      await shows(alice, 'good morning');
      carol.say('alice, tea at four?', '/msg alice and do not tell bob about the cake');
      await shows(alice, 'about the cake');
      for (const guest of ['erin', 'frank', 'grace']) (await plain(chat.native, guest)).say('/join games', '/exit');
      await shows(alice, 'grace left');
      carol.say('so many people today');
      await shows(alice, 'so many');
      await alice.screenshot({ path: `${pictures}/${name}.png` });
      if (options.isMobile) {
        await alice.click('#menu');
        await alice.screenshot({ path: `${pictures}/${name}-side.png` });
        await alice.click('#side button:has-text("Leave")');
      } else {
        await type(alice, '/exit');
      }
      await holds(alice, () => document.getElementById('retry').textContent === 'Come back');
    }
  },
};

// A module that serves the page in the place of a binary that cannot yet.
const { start = startChat } = process.env.CHINWAG_BRIDGE ? await import(process.env.CHINWAG_BRIDGE) : {};
let failures = 0;
for (const [name, test] of Object.entries(tests)) {
  if (!name.includes(wanted)) continue;
  const place = `${scratch}/${Object.keys(tests).indexOf(name)}`;
  const chat = await start(['--rate', 'off', '--queue-soft', '8K', '--state', place], `${place}.op`, binary);
  const relay = await startRelay(chat.port);
  try {
    await test({ chat, relay });
    assert.deepEqual(wrong.splice(0), [], 'the browser complains');
    console.log(`ok  ${name}`);
  } catch (error) {
    failures++;
    console.log(`NOT ${name}\n${error.stack}`);
    for (const context of browser.contexts()) {
      await context.pages()[0]?.screenshot({ path: `${pictures}/failed-${failures}.png` }).catch(() => {});
    }
  }
  for (const context of browser.contexts()) await context.close();
  relay.stop();
  await chat.stop();
}
await browser.close();
rmSync(scratch, { recursive: true });
process.exit(failures ? 1 : 0);
