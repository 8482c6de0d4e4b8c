/** What the checks of the contract are made of, and are run with. */
import type { SessionBody } from './accounts.js';
import { ERROR_BODIES } from './contract.js';
import { FakeLaunch, type FakeLaunchOptions } from './fake-server.js';
import { misfits } from './shapes.js';
import { type Answer, signIn } from './test-support.js';

/** A time that stands still until it is moved, and ping timers that tick when they are told to. */
export class ManualTime {
  nowMs = Date.UTC(2026, 0, 2, 15, 4, 5);
  readonly intervalsMs: number[] = [];
  readonly #timers = new Set<() => void>();

  readonly now = () => this.nowMs;

  readonly every = (intervalMs: number, run: () => void) => {
    this.intervalsMs.push(intervalMs);
    this.#timers.add(run);
    return () => this.#timers.delete(run);
  };

  tick(): void {
    for (const run of [...this.#timers]) run();
  }
}

/** One launch server under test, with what steers it. */
export interface Subject {
  launch: FakeLaunch;
  time: ManualTime;
  /** A player with a session of its own. */
  player: SessionBody;
}

export interface Check {
  name: string;
  options?: FakeLaunchOptions;
  /** What does not hold; empty: all does. */
  run(subject: Subject): Promise<unknown[]>;
}

/** @param spoil makes the server a wrong one, before the first request */
export async function runCheck(
  check: Check,
  spoil: (launch: FakeLaunch) => void = () => {},
): Promise<unknown[]> {
  const time = new ManualTime();
  const { now, every } = time;
  const launch = await FakeLaunch.start({
    now,
    every,
    fleets: { default: { address: '203.0.113.10:7777', protocolHint: 'udp' } },
    leaderboards: [{ id: 1, clientSubmissions: true, scoreMin: 0, scoreMax: 1_000_000 }],
    accounts: [{ email: 'player@example.com', password: 'correct' }],
    ...check.options,
  });
  try {
    const player = await signIn(launch);
    spoil(launch);
    return await check.run({ launch, time, player });
  } finally {
    await launch.close();
  }
}

/** A list with the finding, or none. */
export function expect(holds: boolean, ...finding: unknown[]): unknown[] {
  return holds ? [] : [finding];
}

export function equal(what: string, found: unknown, wanted: unknown): unknown[] {
  return expect(found === wanted, `${what} is ${String(found)}, not ${String(wanted)}`);
}

/** Either kind of answer: of a request, of a rejected upgrade. */
export interface Told {
  status: number;
  text: string;
  headers: Headers | Record<string, unknown>;
}

export function headerOf({ headers }: Told, name: string): unknown {
  return headers instanceof Headers ? headers.get(name) : (headers[name.toLowerCase()] ?? null);
}

export function isPlainText(told: Told, status: number, text: string): unknown[] {
  const { contentType } = ERROR_BODIES.plainText;
  return [
    ...equal('the status', told.status, status),
    ...equal('the text', told.text, `${text}\n`),
    ...equal('the type', headerOf(told, 'Content-Type'), contentType),
    ...equal('X-Content-Type-Options', headerOf(told, 'X-Content-Type-Options'), 'nosniff'),
  ];
}

export function isProblem(answer: Answer, status: number): unknown[] {
  return [
    ...isErrorBody('problem', answer, status),
    ...equal('the problem’s status', answer.body?.status, status),
  ];
}

export function isLegacy(answer: Answer, status: number): unknown[] {
  return isErrorBody('legacy', answer, status);
}

function isErrorBody(kind: 'problem' | 'legacy', answer: Answer, status: number): unknown[] {
  const { contentType, shape } = ERROR_BODIES[kind];
  return [
    ...equal('the status', answer.status, status),
    ...equal('the type', answer.headers.get('Content-Type'), contentType),
    ...misfits(shape, answer.body),
  ];
}
