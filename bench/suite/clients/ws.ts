/** Players on bare `ws` and JSON, as the baseline's server speaks it. */
import { once } from 'node:events';
import WebSocket from 'ws';
import { type ClientArguments, type Ears, type Line, play } from './play.js';

async function dial({ server }: ClientArguments, _index: number, ears: Ears): Promise<Line> {
  const socket = new WebSocket(`ws://${server}/`);
  socket.on('message', (data) => {
    const { type, payload } = JSON.parse(String(data));
    if (type === 'Snapshot') ears.snapshot(payload);
    else if (type === 'GameEvent') ears.event();
    else if (type === 'Echo') ears.echo();
  });
  await once(socket, 'open');
  return { send: (type, payload) => socket.send(JSON.stringify({ type, payload })) };
}

play(dial);
