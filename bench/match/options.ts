/** The command line of the main job. Everything is checked here, so that nothing fails later. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { STEPS_PER_SECOND } from '../../examples/brawler/game/rules.js';
import { parseOptions, UsageError } from '../command-line.js';

export interface MatchOptions {
  kind: 'match';
  durationS: number;
  /** Per wire. */
  players: number;
  rateHz: number;
  /** Ratio of packets lost in each direction; with `delayMs` 0 too there is no forwarder. */
  lossRatio: number;
  /** One way. */
  delayMs: number;
  seed: number;
  reportFile: string | null;
}

export interface ServeOptions {
  kind: 'serve';
  rateHz: number;
  /** Null: the number of the WebSocket port. */
  udpPort: number | null;
  wsPort: number;
  /** 64 hex digits; null: a random key, useful for dev tickets only. */
  privateKey: string | null;
  protocolId: bigint | null;
  echoForeign: boolean;
  seed: number;
}

const SERVE_ONLY = ['udpPort', 'wsPort', 'privateKey', 'protocolId', 'echoForeign'];
const MATCH_ONLY = ['duration', 'players', 'loss', 'delay', 'report'];
const KEY_PATTERN = /^[0-9a-f]{64}$/i;
/** 2,000 players send and receive about 160,000 messages/s: more than one machine plays. */
const PLAYERS_MAX = 2000;

/** @throws UsageError */
export function readOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): MatchOptions | ServeOptions {
  const program = createProgram();
  const values = parseOptions(program, args);
  const given = (name: string): boolean => program.getOptionValueSource(name) === 'cli';
  const flagOf = (name: string): string =>
    program.options.find((option) => option.attributeName() === name)?.long ?? name;
  const wrong = (values.serve ? MATCH_ONLY : SERVE_ONLY).find(given);
  if (wrong !== undefined) {
    const why = values.serve ? 'cannot be combined with --serve' : 'needs --serve';
    throw new UsageError(`option '${flagOf(wrong)}' ${why}`);
  }
  if (values.serve) {
    return {
      kind: 'serve',
      rateHz: values.rate,
      udpPort: values.udpPort ?? null,
      wsPort: values.wsPort,
      privateKey: values.privateKey ?? keyFrom(env.GGSCALE_PRIVATE_KEY),
      protocolId: values.protocolId ?? null,
      echoForeign: values.echoForeign === true,
      seed: values.seed,
    };
  }
  return {
    kind: 'match',
    durationS: values.duration,
    players: values.players,
    rateHz: values.rate,
    lossRatio: values.loss,
    delayMs: values.delay,
    seed: values.seed,
    reportFile: values.report ?? null,
  };
}

function createProgram(): Command {
  const rate = STEPS_PER_SECOND;
  return new Command('npm start --')
    .description('Plays the same matches on JSON over WebSocket and on UDP, and compares the two.')
    .option('--duration <seconds>', 'how long to play', number('seconds', 1, 86_400), 20)
    .option('--players <count>', 'players per wire, in matches of 4', integer(1, PLAYERS_MAX), 16)
    .option('--rate <hz>', 'server ticks and snapshots per second', integer(1, 250), rate)
    .option('--loss <ratio>', 'lose this ratio of packets, each way', number('a ratio', 0, 0.3), 0)
    .option('--delay <ms>', 'delay packets by this, each way', number('milliseconds', 0, 200), 0)
    .option('--seed <n>', 'seed of matches, players and losses', integer(0, 2 ** 31 - 1), 1)
    .option('--report <file>', 'write the closing comparison as JSON', writableFile)
    .option('--serve', 'run one server with both listeners until interrupted')
    .option('--udp-port <port>', 'with --serve; default: as --ws-port', integer(0, 65535))
    .option('--ws-port <port>', 'with --serve; HTTP and WebSocket; 0: any', integer(0, 65535), 0)
    .option('--private-key <hex>', 'with --serve; or GGSCALE_PRIVATE_KEY', privateKey)
    .option('--protocol-id <n>', 'with --serve; decimal or 0x…', protocolId)
    .option('--echo-foreign', 'with --serve: echo payloads of clients that speak bare netcode');
}

function number(what: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected ${what} from ${min} to ${max}.`);
  };
}

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

function privateKey(text: string): string {
  if (KEY_PATTERN.test(text)) return text;
  // Not commander's own error: that one repeats the value, and this value is a secret.
  throw new UsageError("option '--private-key <hex>' expects 64 hex digits");
}

function keyFrom(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  if (KEY_PATTERN.test(text)) return text;
  throw new UsageError('GGSCALE_PRIVATE_KEY must be 64 hex digits');
}

function protocolId(text: string): bigint {
  const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? BigInt(text) : -1n;
  if (value >= 0n && value < 1n << 64n) return value;
  throw new InvalidArgumentError('Expected an unsigned 64-bit number, decimal or 0x….');
}

/** Found out now: a report that cannot be written after a long run helps nobody. */
function writableFile(text: string): string {
  const path = resolve(text);
  try {
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing?.isDirectory()) throw new Error('it is a directory');
    accessSync(existing === undefined ? dirname(path) : path, constants.W_OK);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new InvalidArgumentError(`The file cannot be written (${reason}).`);
  }
  return path;
}
