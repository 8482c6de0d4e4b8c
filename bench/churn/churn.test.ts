/** The churn of docs/TESTING.md by counts: some hundred players on both wires, and nobody left. */
import t from 'tap';
import { type ChurnSetup, runChurn } from './churn.js';
import { growthOf } from './growth.js';
import { SourceAddresses } from './udp-wire.js';

const SHARES = { clean: 8, vanish: 3, silent: 0, halfway: 2, resume: 4, double: 3 };

const short = (change: Partial<ChurnSetup>): ChurnSetup => ({
  wires: ['udp', 'json-ws'],
  ratePerS: 200,
  length: { visits: 60 },
  graceMs: 30_000,
  resumeWindowMs: 3000, // a busy machine takes its time to resume
  maxPlayers: 1024,
  shares: SHARES,
  plant: 'none',
  onProgress() {},
  ...change,
});

t.test('players of both wires come and go in every way, and nothing is left of them', async (t) => {
  const { findings, loads, final } = await runChurn(short({}));
  t.same(findings, []);
  for (const { done, failures } of loads) {
    t.same(failures, {});
    t.match(done, { clean: 24, vanish: 9, halfway: 6, resume: 12, double: 9 });
  }
  const joins = 2 * (24 + 9 + 12 + 2 * 9);
  t.ok(final.joins >= joins && final.joins <= joins + 6, 'some who left halfway had come in');
  t.equal(final.resumes, 2 * 12);
});

t.test('a link that was resumed leaves no timer behind', async (t) => {
  const shares = { clean: 0, vanish: 0, silent: 0, halfway: 0, resume: 1, double: 0 };
  // Less than a server waits for `$resume`: 10 s.
  const { findings, final } = await runChurn(
    short({ shares, length: { visits: 20 }, graceMs: 7000, resumeWindowMs: 20_000 }),
  );
  t.same(findings, []);
  t.equal(final.resumes, 2 * 20);
});

t.test('leaks are noticed: a player and a timer for each that joined', async (t) => {
  const { findings } = await runChurn(
    short({ wires: ['json-ws'], length: { visits: 20 }, graceMs: 5000, plant: 'objects' }),
  );
  for (const left of [
    /^objects: PlayerEntry: 0 before, 2\d left$/,
    /^objects: Timeout: \d before, [2-9]\d left$/,
  ]) {
    t.ok(
      findings.some((finding) => left.test(finding)),
      findings.join(),
    );
  }
});

t.test('growth is told from noise', async (t) => {
  const points = (bytesPerConnect: number) =>
    Array.from({ length: 12 }, (_, n) => ({
      connects: n * 5000,
      bytes: 20e6 + n * 5000 * bytesPerConnect + ((n * 7919) % 5) * 20_000,
    }));
  const leak = growthOf(points(100));
  t.ok(Math.abs(leak.perConnect - 100) < 3 * leak.noise, `${leak.perConnect}`);
  t.ok(leak.perConnect > 50 && leak.perConnect > 3 * leak.noise);
  const none = growthOf(points(0));
  t.ok(Math.abs(none.perConnect) <= 3 * none.noise, `${none.perConnect}, ${none.noise}`);
  t.throws(() => growthOf(points(0).slice(0, 5)), RangeError);
});

t.test('source addresses: 250 of a network, neighbours in time from different ones', async (t) => {
  const addresses = new SourceAddresses(255, 2);
  const seen = Array.from({ length: 500 }, () => addresses.next());
  t.same(seen.slice(0, 3), ['127.1.255.1', '127.2.0.1', '127.1.255.2']);
  t.equal(new Set(seen).size, 500);
  t.equal(addresses.next(), seen[0]);
});
