/** The game on this runtime: GameServer with ticks, UDP only, a room broadcast encodes once. */

import { takeInput } from '../../../examples/brawler/game/step.js';
import type { Fighter } from '../../../examples/brawler/game/world.js';
import { GameEvent, Input, Snapshot } from '../../../src/messages/generated/index.js';
import { createRegistry } from '../../../src/sdk/index.js';
import { GameServer } from '../../../src/server/index.js';
import { Bulk } from '../generated/index.js';
import { Arena, type Channel } from './arena.js';
import { readArguments } from './arguments.js';
import { BulkTurns, bulkText } from './bulk-turns.js';
import { type BenchServer, serve } from './serve.js';
import { udpGauges, udpReady } from './udp-gauges.js';
import { udpServerOptions } from './udp-options.js';

async function open(): Promise<BenchServer> {
  const args = readArguments();
  const registry = createRegistry({ Input, Snapshot, GameEvent, Bulk });
  const server = await GameServer.listen(udpServerOptions(args, registry));
  const arena = new Arena(args.tickHz, (number) => {
    const room = server.room(`match-${number}`);
    const channel: Channel = {
      snapshot: (value) => room.broadcast('Snapshot', value),
      event: (value) => room.broadcast('GameEvent', value),
    };
    return { ...channel, room };
  });
  server.onJoin((player) => {
    const { table, index } = arena.seat();
    player.data = table.match.fighters[index];
    table.channel.room.join(player);
  });
  let messagesIn = 0;
  server.on('Input', (player, value) => {
    messagesIn += 1;
    takeInput(player.data as Fighter, value);
  });
  const bulk = { seq: 0, sentUs: 0, text: bulkText(args.bulkBytes) };
  const turns = new BulkTurns<
    typeof server.players extends ReadonlyMap<string, infer P> ? P : never
  >(args.tickHz, (player) => {
    player.send('Bulk', bulk);
    return player.drained();
  });
  server.onTick(({ skipped }) => {
    arena.run(1 + skipped);
    if (args.bulkBytes > 0 && !arena.isStill) turns.run(server.players.values());
  });
  return {
    ready: udpReady(server, registry),
    mark: () => {
      const gauges = udpGauges(server);
      const drops = { ...gauges.drops, 'ticks-skipped': arena.ticksSkipped };
      const { messagesOut, eventsOut } = arena;
      return { ...gauges, drops, echoed: messagesIn + messagesOut, events: eventsOut };
    },
    run: () => {
      arena.isStill = false;
    },
    pause: () => {
      arena.isStill = true;
    },
  };
}

void serve(open);
