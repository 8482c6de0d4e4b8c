/** The example's page in headless Chromium: a person on the keyboard among bots on UDP. */
import t from 'tap';
import { Brawler } from '../../examples/brawler/brawler.js';
import {
  GameEventKind,
  type GameEventValue,
  type PlayerStateValue,
} from '../../examples/brawler/game/messages.js';
import { LEVEL_WIDTH, STATE } from '../../examples/brawler/game/rules.js';
import { openBrowser, SKIP } from './chromium.js';

const logger = {
  info() {},
  warn() {},
  error: (fields: object, message: string) => console.error(message, fields),
};

const browser = await openBrowser(t);

t.test('a person plays in the page, by keyboard, among bots on UDP', { skip: SKIP }, async (t) => {
  const brawler = await Brawler.start({ port: 0, bots: 2, logger });
  t.teardown(() => brawler.close());
  const page = await browser.newPage();
  const errors: unknown[] = [];
  page.on('pageerror', (error) => errors.push(error));
  await page.goto(brawler.url);
  await page.type('#name', 'Ada');
  await page.keyboard.press('Enter');
  /** Waits until what the page shows is so. */
  const shows = (condition: string) => {
    return page.waitForFunction(
      `(() => {
          const { net, players, events } = brawler;
          const me = players.find(({ netId }) => netId === net?.netId);
          return net !== null && (${condition});
        })()`,
      { timeout: 60_000, polling: 'raf' },
    );
  };

  await shows('me !== undefined && players.length === 3 && net.roster.length === 3');
  const wires = [...brawler.server.players.values()].map(({ id, wire }) => {
    return [id.replace(/#.*/, ''), wire];
  });
  t.same(wires.sort(), [
    ['Ada', 'json-ws'],
    ['bot:Moss', 'udp'],
    ['bot:Rook', 'udp'],
  ]);
  const cards = await page.$$eval('#cards .name', (names) => names.map((n) => n.textContent));
  t.same(cards.sort(), ['Ada (you)WS', 'MossUDP', 'RookUDP']);

  for (const [key, direction, where] of [
    ['ArrowLeft', -1, 'me.x < 400'],
    ['ArrowRight', 1, `me.x > ${LEVEL_WIDTH / 2}`],
  ]) {
    await page.keyboard.down(key as 'ArrowLeft');
    await shows(`me?.stateId === ${STATE.run} && me.direction === ${direction}`);
    await shows(`me !== undefined && ${where}`);
    await page.keyboard.up(key as 'ArrowLeft');
  }

  const happened = (kind: GameEventKind, actor: string) => {
    return `events.some((event) => event.kind === ${kind} && event.actor ${actor} net.netId)`;
  };
  t.not(await page.evaluate('brawler.net.netId'), 0);
  while (
    !(await page.evaluate(`(() => { const { net, events } = brawler;
      return ${happened(GameEventKind.MeleeAttack, '===')}; })()`))
  ) {
    await page.keyboard.press('KeyJ', { delay: 20 }); // while out or hurt nobody strikes
  }
  await shows(happened(GameEventKind.MeleeAttack, '!=='));
  const { events, players } = (await page.evaluate(
    '({ events: brawler.events, players: brawler.players })',
  )) as { events: GameEventValue[]; players: PlayerStateValue[] };
  t.same(
    events.map(({ tick }) => tick),
    events.map(({ tick }) => tick).sort((a, b) => a - b),
    'events are shown in order',
  );
  t.ok(players.every(({ x }) => x >= 0 && x <= LEVEL_WIDTH));
  t.match(await page.$eval('#net', (net) => net.textContent), /wireWebSocket.*ping\d.*tick\d/);

  await brawler.close();
  await page.waitForFunction("!document.getElementById('start').hidden");
  t.match(await page.$eval('#notice', (notice) => notice.textContent), /has ended \(1001/);
  t.same(errors, []);
});
