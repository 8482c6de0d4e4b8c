/** UDP players that vanish: they come and talk, others begin a handshake, and all are killed at once. */

import { loadWire } from './load-wire.js';
import type { DoomedAnswer, DoomedOrder } from './messages.js';
import { TicketCounter } from './ticket-counter.js';
import type { UdpWire } from './udp-wire.js';
import { Visitor } from './visitor.js';
import { Visits } from './visits.js';

async function main({ setup, generation, vanish, halfway }: DoomedOrder): Promise<void> {
  process.on('disconnect', () => process.exit(0));
  const { wire, addresses } = loadWire(setup, generation + 1);
  const tickets = new TicketCounter(setup.origin, addresses);
  const visits = new Visits(wire, tickets);
  const name = (n: number) => `${setup.wire}-${setup.index}-doomed-${generation}-${n}`;
  const failed: string[] = [];
  const players = Array.from({ length: vanish }, (_, n) =>
    visits.come(new Visitor(name(n))).catch((error: Error) => {
      failed.push(`vanish: ${error.message}`);
    }),
  );
  await Promise.all(players);
  const begun = Array.from({ length: halfway }, (_, n) =>
    visits.run('halfway', name(vanish + n)).catch((error: Error) => {
      failed.push(`halfway: ${error.message}`);
    }),
  );
  await Promise.all(begun);
  (wire as UdpWire).turn(); // the requests leave; what answers them finds nobody
  const { attempts, opened } = visits;
  const answer: DoomedAnswer = { attempts, opened, halfway: visits.halfway, failed };
  process.send?.(answer, () => process.kill(process.pid, 'SIGKILL'));
}

await main(JSON.parse(process.argv[2]) as DoomedOrder);
