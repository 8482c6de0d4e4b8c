import t from 'tap';
import { Snapshot } from '../messages/generated/index.js';
import { createRegistry } from '../messages/index.js';
import { TransportError } from '../util/errors.js';
import { Broadcaster } from './broadcast.js';
import type { PlayerEntry } from './player-entry.js';

/** A player whose client announced that it takes messages of at most `bytesMax`. */
function player(bytesMax: number, sent: number[]): PlayerEntry {
  const peer = {
    wire: 'udp',
    isClosed: false,
    takesEncoded: () => true,
    sendEncoded: (_type: unknown, _bytes: Uint8Array, length: number) => {
      if (length > bytesMax) throw new TransportError('message-too-large', 'too large');
      sent.push(length);
      return 'sent';
    },
  };
  return { peer } as unknown as PlayerEntry;
}

t.test('a client that takes only small messages does not keep them from the others', async (t) => {
  const sent: number[] = [];
  const broadcaster = new Broadcaster(createRegistry({ Snapshot }) as never);
  const players = [player(1e6, sent), player(1024, sent), player(1e6, sent)];
  t.equal(broadcaster.send(players, 'note', 'x'.repeat(2000), undefined), 2);
  t.equal(sent.length, 2);
});
