/** A process of a network: opens servers or runs programs, as it is asked; ends when it is let go. */
import type { Opened, Request } from './network.js';
import { openPlayground, type Playground } from './playground.js';
import { runProgram } from './runner.js';

const servers: Playground[] = [];

async function answerTo(request: Request): Promise<unknown> {
  if (request.kind === 'run') {
    return runProgram(request.program, request.option, request.address);
  }
  if (request.kind === 'close') return servers[request.server].close();
  const playground = await openPlayground(request.where, request.options);
  const { address, udpPort } = playground;
  const opened: Opened = { server: servers.push(playground) - 1, address, udpPort };
  return opened;
}

process.on('message', ({ id, request }: { id: number; request: Request }) => {
  answerTo(request).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: String(error), value: null }),
  );
});
process.on('disconnect', () => process.exit());
