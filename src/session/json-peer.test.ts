import t from 'tap';
import { Snapshot } from '../messages/generated/index.js';
import { createRegistry } from '../messages/index.js';
import type { MessageType } from '../messages/types.js';
import { SEND_UNRELIABLE_MESSAGES_MAX } from '../util/limits.js';
import { AckBatch } from './ack-batch.js';
import { Dispatcher } from './dispatcher.js';
import { SessionDrops } from './drops.js';
import { FRAME_RECEIPTS_MAX } from './frame-receipts.js';
import { JsonPeer, type JsonPeerContext } from './json-peer.js';

class FakeSocket {
  readonly sent: string[] = [];
  bufferedAmount = 0;
  closed: number | null = null;

  send(text: string): void {
    this.sent.push(text);
  }

  close(code: number): void {
    this.closed = code;
  }
}

function build(types: Record<string, MessageType> = { Snapshot }) {
  const registry = createRegistry(types);
  const errors: unknown[] = [];
  const broken: number[] = [];
  const dispatcher = new Dispatcher<null>((error) => errors.push(error));
  const socket = new FakeSocket();
  let armed = 0;
  const context: JsonPeerContext<null> = {
    registry: registry as never,
    dispatcher,
    drops: new SessionDrops(),
    acks: new AckBatch(() => armed++),
    onUnhandled: null,
    onBroken: (_peer, code) => broken.push(code),
    onHello: null,
    onResumed: null,
    onResume: null,
    onConfirmed: null,
    onDrained: () => {},
    onClosed: null,
    onReceipt: (_peer, receipt, outcome) => receipts.push([receipt, outcome]),
    nowMs: () => now.ms,
    onClockSample: null,
    onLead: null,
    serverTimeMs: () => 0,
  };
  const now = { ms: 0 };
  const receipts: [number, string][] = [];
  const peer = new JsonPeer(context, null, socket, 'linked');
  return { peer, socket, dispatcher, errors, broken, context, now, receipts, armed: () => armed };
}

function snapshot(tick: number): unknown {
  return Snapshot.normalize({ tick }, false);
}

function ticksOf(socket: FakeSocket): number[] {
  return socket.sent.map((text) => JSON.parse(text).payload.tick);
}

t.test('a newer sequenced message that goes out at once replaces the one that waits', async (t) => {
  const { peer, socket } = build();
  socket.bufferedAmount = 1e6;
  t.equal(peer.send('Snapshot', snapshot(1)), 'queued');
  socket.bufferedAmount = 0; // the kernel took it, the drain has not been told yet
  t.equal(peer.send('Snapshot', snapshot(2)), 'sent');
  peer.handleSocketDrained();
  t.same(ticksOf(socket), [2], 'never an older one behind a newer one');
});

t.test('a waiting message that expires is dropped', async (t) => {
  const { peer, socket, now } = build();
  socket.bufferedAmount = 1e6;
  t.equal(peer.send('Snapshot', snapshot(1), { expiresMs: 50 }), 'queued');
  now.ms = 51;
  socket.bufferedAmount = 0;
  peer.handleSocketDrained();
  t.same(socket.sent, []);
  t.equal(peer.droppedOut, 1);
});

t.test('a peer that asks and never reads does not fill the memory', async (t) => {
  const { peer, socket, context, armed } = build();
  socket.bufferedAmount = 1e6;
  for (let i = 0; i < 1000; i++) {
    peer.handleText('{"type":"$ping","payload":{"t":1}}');
    peer.handleText('{"type":"x","payload":1}');
  }
  t.same(socket.sent, []);
  t.equal(armed(), 1);
  context.acks.flush();
  context.acks.flush();
  t.same(socket.sent, [], 'due, but it does not read');
  socket.bufferedAmount = 0;
  context.acks.flush();
  t.same(
    socket.sent.map((text) => JSON.parse(text)),
    [{ type: '$ack', payload: { frames: 1000 } }],
    'the acknowledgement is late, not lost',
  );
});

t.test('a peer that breaks the rules is handed to the owner', async (t) => {
  const { peer, broken } = build();
  peer.handleText('{"type":"$nonsense"}');
  t.same(broken, [1002]);
});

t.test('a value whose encoding is over the limit never becomes a view', async (t) => {
  const Huge = Object.create(Snapshot, {
    encode: { value: () => -1 },
  }) as MessageType;
  const { peer, dispatcher, errors } = build({ Snapshot: Huge });
  let views = 0;
  dispatcher.onView('Snapshot', () => views++);
  peer.handleText('{"type":"Snapshot","payload":{}}');
  t.equal(views, 0);
  t.match(errors, [{ code: 'message-too-large' }]);
});

t.test(
  'a receipt is answered by the session’s acknowledgement, or when it is given up',
  async (t) => {
    const { peer, socket, receipts } = build();
    peer.send('said', 1, { receipt: 11 });
    peer.send('Snapshot', snapshot(1), { receipt: 12 });
    peer.send('said', 2);
    t.same(receipts, []);
    peer.handleText('{"type":"$ack","payload":{"frames":1}}');
    t.same(receipts, [[11, 'acked']]);
    socket.bufferedAmount = 1e6;
    t.equal(peer.send('Snapshot', snapshot(2), { receipt: 13 }), 'queued');
    t.equal(peer.send('Snapshot', snapshot(3), { receipt: 14 }), 'queued');
    t.equal(receipts.length, 1, 'never from inside send');
    await Promise.resolve();
    t.same(receipts[1], [13, 'dropped']);
    socket.bufferedAmount = 0;
    peer.handleSocketDrained();
    peer.handleText('{"type":"$ack","payload":{"frames":4}}');
    t.same(receipts.slice(2), [
      [12, 'acked'],
      [14, 'acked'],
    ]);
  },
);

t.test('a peer that acknowledges nothing keeps a bounded number of receipts open', async (t) => {
  const { peer, receipts } = build();
  for (let n = 1; n <= FRAME_RECEIPTS_MAX + 2; n++) {
    peer.send('Snapshot', snapshot(n), { receipt: n });
  }
  t.same(receipts, [
    [1, 'lost'],
    [2, 'lost'],
  ]);
});

t.test('writable comes once half of the log and of the socket is free', async (t) => {
  const { peer, socket } = build();
  let writable = 0;
  peer.watchWritable(() => writable++);
  t.equal(writable, 1, 'at once when nothing was refused');
  let count = 0;
  while (peer.send('said', count) !== 'full') count++;
  peer.watchWritable(() => writable++);
  peer.handleText(JSON.stringify({ type: '$ack', payload: { frames: count / 2 - 1 } }));
  t.equal(writable, 1, 'more than half is still there');
  socket.bufferedAmount = 1e6;
  peer.handleText(JSON.stringify({ type: '$ack', payload: { frames: count / 2 } }));
  t.equal(writable, 1, 'the socket does not take more');
  socket.bufferedAmount = 0;
  peer.handleSocketDrained();
  t.equal(writable, 2);
  peer.send('said', 'x'.repeat(200_000));
  while (peer.send('said', 'x'.repeat(200_000)) !== 'full') count++;
  t.not(peer.send('said', 'small'), 'full', 'a small message has room beside bulk');
  peer.watchWritable(() => writable++);
  peer.close(1000, '');
  t.equal(writable, 3, 'nobody waits for a connection that has ended');
});

t.test('a peer that does not read cannot make keys pile up', async (t) => {
  const { peer, socket } = build();
  socket.bufferedAmount = 1e6;
  for (let key = 1; key <= SEND_UNRELIABLE_MESSAGES_MAX + 50; key++) {
    t.equal(peer.send('Snapshot', snapshot(key), { key }), 'queued');
  }
  t.equal(peer.droppedOut, 50);
  socket.bufferedAmount = 0;
  peer.handleSocketDrained();
  const ticks = ticksOf(socket);
  t.equal(ticks.length, SEND_UNRELIABLE_MESSAGES_MAX);
  t.equal(ticks[0], 51, 'the oldest gave way');
});

t.test('the budget is what the socket takes before unreliable messages give way', async (t) => {
  const { peer, socket } = build();
  t.equal(peer.budget(), 16_384);
  socket.bufferedAmount = 10_000;
  t.equal(peer.budget(), 6384);
  socket.bufferedAmount = 1e6;
  t.equal(peer.budget(), 0, 'never below 0');
  socket.bufferedAmount = 0;
  peer.close(1000, '');
  t.equal(peer.budget(), 0, 'nothing leaves any more');
});
