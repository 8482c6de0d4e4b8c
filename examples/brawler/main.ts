/** `npm run example`: starts the brawler and prints where to play it. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Brawler } from './brawler.js';

/** Who plays in a page may go on for this long after the first signal; a second one ends it. */
const DRAIN_MS = 3000;
const PARENT_CHECK_MS = 500;

const logger = {
  info() {},
  warn: (fields: object, message: string) => console.warn(message, JSON.stringify(fields)),
  error: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
};

const USAGE = `usage: npm run example -- [--port PORT] [--bots COUNT]

A brawler to play in a browser, with bots over UDP on the same server.

  --port   of the page, 0 to 65535; 0: a free one (default 8080)
  --bots   0 to 4 (default 3)
  --help   shows this`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8080' },
      bots: { type: 'string', default: '3' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const port = wholeNumber('--port', values.port, 65_535);
  const bots = wholeNumber('--bots', values.bots, 4);
  const brawler = await Brawler.start({ port, bots, logger });
  let isEnding = false;
  const end = () => {
    void brawler.close(isEnding ? 0 : DRAIN_MS);
    isEnding = true;
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  onOrphaned(end);
  const wires = new Set(brawler.bots.map(({ connection }) => connection.wire));
  console.log(`Play at ${brawler.url} (Ctrl+C ends it)`);
  if (bots > 0) console.log(`${bots} bots on the same server, over ${[...wires].join(' and ')}`);
}

/** npm passes no signal on, and its shell outlives it: the end of either ends this, too. */
function onOrphaned(end: () => void): void {
  const parent = process.ppid;
  const isUnderNpm = process.env.npm_lifecycle_event !== undefined;
  const grandparent = isUnderNpm ? parentOf(parent) : null;
  const timer = setInterval(() => {
    const isHere = process.ppid === parent;
    if (isHere && (grandparent === null || parentOf(parent) === grandparent)) return;
    clearInterval(timer);
    end();
  }, PARENT_CHECK_MS);
  timer.unref();
}

/** Null where there is no /proc. */
function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new Error(`${name} is "${text}", accepted: 0 to ${most}`);
}

main().catch((error: NodeJS.ErrnoException) => {
  const hint = error.code === 'EADDRINUSE' ? ' (give another one with -- --port)' : '';
  console.error(`${error.message}${hint}`);
  process.exitCode = 1;
});
