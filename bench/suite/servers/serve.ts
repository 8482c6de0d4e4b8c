/** The end of the words (words.ts) in a server process. */
import { createInterface } from 'node:readline';
import { type Ready, type ServerMark, tell } from '../words.js';
import { Gauges } from './gauges.js';

export interface BenchServer {
  readonly ready: Ready;
  /** Beside the gauges of the process. */
  mark(): Partial<ServerMark> & { echoed: number };
  /** The load begins: players may begin too. */
  run?(): void;
  pause?(): void;
  /** The process ends right after it. */
  close?(): void;
}

/** Opens the server, tells where it listens, and answers until the words end. */
export async function serve(open: () => Promise<BenchServer>): Promise<void> {
  // Whoever started this process decides when it ends, also at Ctrl-C.
  process.on('SIGINT', () => {});
  const server = await open();
  const gauges = new Gauges();
  const mark = (): void => {
    const taken = gauges.take(); // first: what the server counts is not to be in the time
    tell({ ...taken, ...server.mark() });
  };
  const words = createInterface({ input: process.stdin });
  words.on('line', (word) => {
    if (word === 'mark') mark();
    else if (word === 'run') server.run?.();
    else if (word === 'watch') gauges.watchLoop();
    else if (word === 'unwatch') gauges.unwatchLoop();
    else if (word === 'stop') words.close();
    else if (word === 'pause') {
      server.pause?.();
      mark();
    } else throw new Error(`unknown word ${JSON.stringify(word)}`);
  });
  words.on('close', () => {
    server.close?.();
    process.exit(0);
  });
  tell(server.ready);
}
