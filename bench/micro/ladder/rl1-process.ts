/** The rung `rl1` in a process of its own: `run` on standard input, a JSON line on standard output. */
import { createInterface } from 'node:readline';
import { Rl1Echo } from './rl1-echo.js';

/** What `run` is answered with. */
export interface Rl1Answer {
  /** CPU of the server's TypeScript per message. */
  tsNs: number;
}

const [flows, messagesPerPacket, messageBytes, turns, warmTurns] = process.argv
  .slice(2)
  .map(Number);
const echo = new Rl1Echo({ flows, messagesPerPacket, messageBytes });

function measure(count: number): Rl1Answer {
  const messages = count * flows * messagesPerPacket;
  const spentNs = echo.run(count);
  echo.check(messages);
  return { tsNs: spentNs / messages };
}

measure(warmTurns);
const words = createInterface({ input: process.stdin });
words.on('line', (word) => {
  if (word === 'run') console.log(JSON.stringify(measure(turns)));
  else words.close();
});
words.on('close', () => process.exit(0));
console.log(JSON.stringify({ ready: true }));
