/**
 * Players come and go, many a second, and nothing may be left of them: npm run churn.
 *
 *   npm run churn -- --seconds 60 --rate 1000 --wire both
 *
 * docs/TESTING.md says what is counted and how. Exit code 1: something was left, or grew.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Wire } from '../../src/server/index.js';
import { runChurn } from './churn.js';
import { PLANTS, type Plant, type VisitKind } from './messages.js';
import { reportOf } from './report.js';

const WIRES: Record<string, readonly Wire[]> = {
  udp: ['udp'],
  'json-ws': ['json-ws'],
  both: ['udp', 'json-ws'],
};
/** Of 40 visits. */
const SHARES: Record<VisitKind, number> = {
  clean: 22,
  vanish: 4,
  silent: 2,
  halfway: 2,
  resume: 6,
  double: 4,
};
const SAMPLES = 12;
const RESUME_WINDOW_MS = 2000;
const MAX_PLAYERS = 16_384;
/** Silence on WebSocket is 20 s, on UDP 5 s; then the window; and some time for a busy machine. */
const GRACE_MS = 60_000;
/** Tickets and connect tokens last for 30 s. */
const WARM_UP_S = 35;

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('a positive number');
}

interface Options {
  seconds: number;
  rate: number;
  wire: string;
  warmUp: number;
  plant: Plant;
  json: boolean;
}

async function main(): Promise<void> {
  const command = new Command('churn')
    .description('players come and go; nothing may be left of them')
    .option('--seconds <n>', 'measured', positive, 60)
    .option('--rate <n>', 'connects per second', positive, 1000)
    .addOption(new Option('--wire <wire>').choices(Object.keys(WIRES)).default('both'))
    .option('--warm-up <s>', 'before it is measured', positive, WARM_UP_S)
    .addOption(
      new Option('--plant <leak>', 'leaks on purpose').choices([...PLANTS]).default('none'),
    )
    .option('--json', 'the whole result as JSON', false);
  const { seconds, rate, wire, warmUp, plant, json } = command.parse().opts<Options>();
  const result = await runChurn({
    wires: WIRES[wire],
    ratePerS: rate,
    length: { warmUpS: warmUp, seconds, samples: SAMPLES },
    graceMs: GRACE_MS,
    resumeWindowMs: RESUME_WINDOW_MS,
    maxPlayers: MAX_PLAYERS,
    shares: SHARES,
    plant,
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : reportOf(result));
  process.exitCode = result.findings.length === 0 ? 0 : 1;
}

await main();
