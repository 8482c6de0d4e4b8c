/** A process of a network: opens servers or runs programs, as it is asked; ends when it is let go. */
import { openMatchWorld } from './match-world.js';
import type { Opened, OpenRequest, Request } from './network.js';
import { openPlayground, type Playground } from './playground.js';
import { type LaunchFace, runProgram } from './runner.js';

const servers: Playground[] = [];

async function answerTo(request: Request): Promise<unknown> {
  if (request.kind === 'run') {
    const { program, option, address, launch } = request;
    return runProgram(program, option, address, launch);
  }
  if (request.kind === 'close') return servers[request.server].close();
  return open(request);
}

async function open({ where, options, hasLaunch }: OpenRequest): Promise<Opened> {
  let playground: Playground;
  let launch: LaunchFace | null = null;
  if (hasLaunch) {
    const world = await openMatchWorld(where, options);
    playground = world;
    launch = world.launch;
  } else {
    playground = await openPlayground(where, options);
  }
  const { address, udpPort } = playground;
  return { server: servers.push(playground) - 1, address, udpPort, launch };
}

process.on('message', ({ id, request }: { id: number; request: Request }) => {
  answerTo(request).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: String(error), value: null }),
  );
});
process.on('disconnect', () => process.exit());
