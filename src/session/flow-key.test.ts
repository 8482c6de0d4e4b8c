import t from 'tap';
import { Snapshot } from '../messages/generated/index.js';
import { createRegistry } from '../messages/index.js';
import { type MessageType, MODE_UNRELIABLE_SEQUENCED } from '../messages/types.js';
import { Protocol, ROLE_SERVER, TALLY_NAMES } from '../protocol/protocol.js';
import { Scratch } from '../util/scratch.js';
import { AckBatch } from './ack-batch.js';
import { BinaryPeer } from './binary-peer.js';
import { Dispatcher } from './dispatcher.js';
import { SessionDrops } from './drops.js';

const KEY_MAX = 2 ** 31 - 1;

/** Two types that travel on one channel in one mode, and a flow that keeps what it is given. */
function build() {
  const like = (name: string, id: number): MessageType => ({
    ...Snapshot,
    name,
    id,
    mode: MODE_UNRELIABLE_SEQUENCED,
    channel: 1,
    normalize: (value, strict) => Snapshot.normalize(value, strict),
    accepts: (value): value is never => Snapshot.accepts(value),
    encode: (value, out, offset, room) => Snapshot.encode(value as never, out, offset, room),
  });
  const types = { Aim: like('Aim', 0x21), Pose: like('Pose', 0x22) };
  const registry = createRegistry(types);
  const protocol = new Protocol({ maxFlows: 1, seed: 1, registryHash: 0, maxAckDelayUs: 25_000 });
  protocol.openFlow(0, ROLE_SERVER, 0, 1200);
  const peer = new BinaryPeer<null>(
    {
      registry: registry as never,
      dispatcher: new Dispatcher<null>(() => {}),
      port: {
        send: (slot, channel, mode, bytes, offset, length, expiresUs, key, redundancy, receipt) =>
          protocol.send(
            slot,
            0,
            channel,
            mode,
            bytes,
            offset,
            length,
            expiresUs,
            key,
            redundancy,
            receipt,
          ),
        freezeFlow: () => protocol.unacked(0),
        budget: () => 0,
        closeFlow: () => {},
      },
      drops: new SessionDrops(),
      acks: new AckBatch(() => 0),
      nowMs: () => 0,
      scratch: new Scratch(4096),
      onUnhandled: null,
      onBroken: () => {},
      onHello: null,
      onLead: null,
      onResumed: null,
      onResume: null,
      onConfirmed: null,
      onReceipt: () => {},
      onDrained: () => {},
      onClosed: null,
    },
    null,
    0,
    'linked',
  );
  const superseded = () => protocol.tallies[TALLY_NAMES.indexOf('send-superseded')];
  return { peer, superseded };
}

const VALUE = Snapshot.normalize({}, false);

for (const key of [1, 7, 0x21, 100_000, KEY_MAX]) {
  t.test(`key ${key} of one type is not that of another of its channel and mode`, async (t) => {
    const { peer, superseded } = build();
    peer.send('Aim', VALUE, { key });
    peer.send('Pose', VALUE, { key });
    t.equal(superseded(), 0, 'both wait');
    peer.send('Aim', VALUE, { key });
    t.equal(superseded(), 1, 'the newer of the same type takes the place of the older');
  });
}

t.test('keys of one type stay apart', async (t) => {
  const { peer, superseded } = build();
  const bits = Array.from({ length: 31 }, (_, bit) => 2 ** bit);
  // The type's own mark is the one key that would become 0, and what it becomes is no other key's.
  const own = (1 << 30) | (1 << 25);
  for (const key of [...bits, own, KEY_MAX]) peer.send('Aim', VALUE, { key });
  t.equal(superseded(), 0);
  peer.send('Aim', VALUE, { key: own });
  t.equal(superseded(), 1);
});
