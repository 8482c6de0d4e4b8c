/**
 * Echo on Bun.udpSocket. What arrived in a turn of the event loop leaves with one sendMany, which is
 * how Bun sends a batch (sendmmsg); a datagram by itself costs it a system call each.
 */
import { readArguments } from '../../suite/servers/arguments.js';
import { bun, type Echo, serveOnBun } from './bun.js';

async function open(): Promise<Echo> {
  const { host } = readArguments();
  let echoed = 0;
  let refused = 0;
  let waiting: unknown[] = [];
  const flush = (): void => {
    const packets = waiting;
    waiting = [];
    const count = packets.length / 3;
    const taken = socket.sendMany(packets);
    echoed += taken;
    refused += count - taken;
  };
  const socket = await bun().udpSocket({
    hostname: host,
    port: 0,
    socket: {
      data(_, data, port, address) {
        if (waiting.length === 0) setImmediate(flush);
        waiting.push(data, port, address);
      },
      drain() {},
    },
  });
  return {
    ready: { ready: `${host}:${socket.port}` },
    mark: () => ({ echoed, drops: { 'send-refused': refused } }),
  };
}

void serveOnBun(open);
