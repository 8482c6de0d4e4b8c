/** A comparison that finds nothing proves something only if it finds what is there. */
import t, { type Test } from 'tap';
import { differences, type Rule, type Run } from './compare.js';
import { openMatchWorld } from './match-world.js';
import { openPlayground } from './playground.js';
import { PROGRAMS } from './programs/index.js';
import { runProgram } from './runner.js';

/** A run on loopback, for spoiling. */
async function runOf(t: Pick<Test, 'equal'>, program: string): Promise<Run> {
  const options = { udp: false } as const;
  const world = PROGRAMS[program].hasLaunch ? await openMatchWorld(null, options) : null;
  const playground = world ?? (await openPlayground(null, options));
  const launch = world?.launch ?? null;
  const run = await runProgram(program, 'json-ws', playground.address, launch);
  const { errors, joins } = await playground.close();
  t.equal(run.failure, null);
  return { ...run, lanes: { ...run.lanes, 'server errors': errors }, wires: ['json-ws'], joins };
}

function spoiled(run: Run, lane: string, spoil: (entries: string[]) => string[]): Run {
  return { ...run, lanes: { ...run.lanes, [lane]: spoil([...run.lanes[lane]]) } };
}

/** As if one message had been lost, doubled, … */
const SPOILS: Record<string, (entries: string[]) => string[]> = {
  'two messages swapped': ([a, b, ...rest]) => [b, a, ...rest],
  'a message doubled': ([a, ...rest]) => [a, a, ...rest],
  'a message lost': ([a, , ...rest]) => [a, ...rest],
  'the last message lost': (entries) => entries.slice(0, -1),
  'a message too many': (entries) => [...entries, entries[0]],
  'all lost': () => [],
};

t.test('an ordered channel: every kind of spoiling is reported', async (t) => {
  const run = await runOf(t, 'channel-order');
  const { rules } = PROGRAMS['channel-order'];
  t.same(differences(run, run, rules), []);
  for (const lane of ['channel 0', 'channel 3', 'channel 4']) {
    for (const [what, spoil] of Object.entries(SPOILS)) {
      t.not(differences(run, spoiled(run, lane, spoil), rules).length, 0, `${lane}: ${what}`);
      t.not(differences(spoiled(run, lane, spoil), run, rules).length, 0, `${lane}: ${what}`);
    }
  }
});

t.test('an unordered channel: all but the order is compared', async (t) => {
  const run = await runOf(t, 'channel-order');
  const { rules } = PROGRAMS['channel-order'];
  for (const [what, spoil] of Object.entries(SPOILS)) {
    const found = differences(run, spoiled(run, 'unordered', spoil), rules).length > 0;
    t.equal(found, what !== 'two messages swapped', what);
  }
});

t.test('an unreliable stream: gaps are fine, going back and doubles are not', async (t) => {
  const run = await runOf(t, 'newest-state');
  const { rules } = PROGRAMS['newest-state'];
  const allowed = ['a message lost', 'the last message lost'];
  for (const [what, spoil] of Object.entries(SPOILS)) {
    const found = differences(run, spoiled(run, 'snapshots', spoil), rules).length > 0;
    t.equal(found, !allowed.includes(what), what);
  }
  const reliable = spoiled(run, 'reliable', ([entry]) => [entry.replace('true', 'false')]);
  t.not(differences(run, reliable, rules).length, 0, 'what is reliable beside it');
});

t.test('one changed close code, error code, value or type is reported', async (t) => {
  const changes: [string, string, string, string][] = [
    ['closing', 'client', '4999', '4998'],
    ['closing', 'server', 'you are out', 'you are Out'],
    ['closing', 'server', '"wasClean":true', '"wasClean":false'],
    ['bad-values', 'message', '"code":"bad-value"', '"code":"bad-json"'],
    ['bad-values', 'message', '"class":"MessageError"', '"class":"TransportError"'],
    ['bad-values', 'server errors', 'on fail: as asked', 'on fall: as asked'],
    ['untyped-values', 'echo', '"value":0}', '"value":{"$number":"-0"}}'],
    ['typed-values', 'GameEvent', '0.3333333432674408', '0.3333333333333333'],
    ['hand-off', 'events', '0.1428571492433548', '0.14285714285714285'],
    ['hand-off', 'board', '"selfRank":2', '"selfRank":3'],
    ['hand-off', 'after', 'invalid refresh', 'bad refresh'],
    ['receipts', 'client', '"acked"', '"lost"'],
    ['switching', 'to udp', 'udp', 'UDP'],
  ];
  for (const [program, lane, from, to] of changes) {
    const run = await runOf(t, program);
    const isThere = run.lanes[lane].some((entry) => entry.includes(from));
    t.ok(isThere, `${program}, ${lane}: ${from} is in it`);
    const changed = spoiled(run, lane, (entries) => {
      const at = entries.findIndex((entry) => entry.includes(from));
      return entries.map((entry, i) => (i === at ? entry.replace(from, to) : entry));
    });
    // Only lanes whose difference is said in full are left to it here.
    const rules: Record<string, Rule> = { ...PROGRAMS[program].rules };
    if (lane === 'to udp') rules[lane] = 'same';
    t.equal(differences(run, changed, rules).length, 1, `${program}, ${lane}: ${from} → ${to}`);
  }
});

t.test('what differs by contract must differ exactly so', async (t) => {
  const off = await runOf(t, 'switching');
  const { rules } = PROGRAMS.switching;
  const moved = '[{"result":{"$undefined":true}}]';
  const on = spoiled(off, 'to udp', () => [moved]);
  t.same(differences(off, on, rules), []);
  t.equal(differences(on, off, rules).length, 2, 'the runs the wrong way round');
  t.equal(differences(off, off, rules).length, 1, 'no difference where there is one');
  t.equal(
    differences(
      off,
      spoiled(on, 'to udp', () => [moved, moved]),
      rules,
    ).length,
    1,
  );
});

t.test('a program that fails or hangs at one wire is a difference', async (t) => {
  const run = await runOf(t, 'rooms');
  t.equal(differences(run, { ...run, failure: 'Error: no' }).length, 1);
});
