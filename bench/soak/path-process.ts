/** What lies between the players and the server (path.ts), in a process of its own. */

import { endWithMain } from '../churn/answering.js';
import type { PathCommand, PathReady, PathSetup } from './messages.js';
import { NoisyPath } from './path.js';

async function main(setup: PathSetup): Promise<void> {
  endWithMain();
  const path = await NoisyPath.open(setup);
  const ready: PathReady = { kind: 'ready', udpAddress: path.udpAddress, origin: path.origin };
  process.send?.(ready);
  process.on('message', (command: PathCommand) => {
    switch (command.kind) {
      case 'servers':
        path.httpPort = command.httpPort;
        path.udpPort = command.udpPort;
        return;
      case 'disturb':
        return path.disturb(command);
      case 'calm':
        path.calm();
        process.send?.(path.figures());
        return;
      case 'close':
        path.close();
        process.disconnect?.();
    }
  });
}

await main(JSON.parse(process.argv[2]) as PathSetup);
