import t from 'tap';
import { createRegistry } from '../messages/index.js';
import { Scratch } from '../util/scratch.js';
import { AckBatch } from './ack-batch.js';
import { BinaryPeer, type BinaryPeerContext } from './binary-peer.js';
import { Dispatcher } from './dispatcher.js';
import { SessionDrops } from './drops.js';
import { CONTROL_CHANNEL, RECEIPT_GREETING, SESSION_WINDOW } from './limits.js';

const ORDERED = 3;

function build(awaitsHello: boolean) {
  const registry = createRegistry({});
  const port = { result: 0, sends: 0, channels: [] as number[] };
  const broken: string[] = [];
  let armed = 0;
  const dispatcher = new Dispatcher<null>((error) => {
    throw error;
  });
  const now = { ms: 0 };
  const context: BinaryPeerContext<null> = {
    registry: registry as never,
    dispatcher,
    port: {
      send: (_slot, channel) => {
        port.sends++;
        if (port.result === 0) port.channels.push(channel);
        return port.result;
      },
      freezeFlow: () => ({ streams: [], messages: [] }),
      budget: () => 0,
      closeFlow: () => {},
    },
    drops: new SessionDrops(),
    acks: new AckBatch(() => armed++),
    nowMs: () => now.ms,
    scratch: new Scratch(4096),
    onUnhandled: null,
    onBroken: (_peer, _code, reason) => broken.push(reason),
    onHello: () => peer.open(true),
    onLead: null,
    onResumed: null,
    onResume: null,
    onConfirmed: null,
    onReceipt: () => {},
    onDrained: () => {},
    onClosed: null,
  };
  const start = awaitsHello ? 'awaits-server' : 'linked';
  const peer: BinaryPeer<null> = new BinaryPeer(context, null, 0, start);
  const bytes = new Uint8Array(4096);
  const deliver = (channel: number, id: number, name: string, payload: unknown) => {
    const encode = name.startsWith('$') ? registry.runtime.encode : registry.encode.bind(registry);
    const length = encode(name, payload, bytes, 0, bytes.length);
    peer.handleMessage(channel, ORDERED, id, bytes, 0, length, 0);
  };
  return { peer, port, broken, context, dispatcher, deliver, now, armed: () => armed };
}

t.test('a whole window of messages may come ahead of a lost $hello', async (t) => {
  const { broken, dispatcher, deliver } = build(true);
  const seen: unknown[] = [];
  dispatcher.on('n', (_owner, value) => seen.push(value));
  for (let i = 0; i < SESSION_WINDOW; i++) deliver(0, i, 'n', i);
  t.same(seen, []);
  deliver(CONTROL_CHANNEL, 0, '$hello', {});
  t.same(broken, []);
  t.same(
    seen,
    Array.from({ length: SESSION_WINDOW }, (_, i) => i),
  );
});

t.test('what no honest server sends ahead of $hello ends the connection', async (t) => {
  const { broken, deliver } = build(true);
  for (let i = 0; broken.length === 0 && i < 1e6; i++) deliver(0, i, 'n', 'x'.repeat(1000));
  t.same(broken, ['no $hello']);
});

t.test('what waits for a link tells how long it has', async (t) => {
  const { peer, now } = build(false);
  peer.send('n', 0);
  t.equal(peer.heldAgeMs, 0, 'it has left');
  peer.freeze();
  now.ms = 100;
  t.equal(peer.send('n', 1), 'queued');
  now.ms = 150;
  peer.send('n', 2);
  now.ms = 175;
  t.equal(peer.heldAgeMs, 75, 'the oldest counts');
});

t.test('all that is sent before the client has $hello is kept', async (t) => {
  const { peer, port } = build(false);
  const moved: string[] = [];
  const sink = {
    takeBytes: (_lane: number, bytes: Uint8Array) => moved.push(new TextDecoder().decode(bytes)),
    takeText: () => {},
  };
  peer.greet({});
  t.equal(peer.send('n', 1), 'sent');
  t.same(port.channels, [CONTROL_CHANNEL, 0], 'it leaves at once');
  peer.freeze();
  peer.moveLogTo(sink);
  t.match(moved, [/"n"/]);

  const after = build(false);
  after.peer.greet({});
  after.peer.send('n', 1);
  after.peer.handleReceipt(RECEIPT_GREETING, 'acked');
  after.peer.send('n', 2);
  after.peer.freeze();
  moved.length = 0;
  after.peer.moveLogTo(sink);
  t.same(moved, [], 'from then on the flow keeps it');
});

t.test('a client that says nothing of $hello is not sent more than it keeps', async (t) => {
  const { peer, port } = build(false);
  for (let i = 0; peer.send('n', 'x'.repeat(4000)) !== 'full'; i++) t.ok(i < 1e4);
  t.equal(peer.send('n', 1), 'sent', 'what is small has room');
  const { sends } = port;
  t.ok(sends > 125 && sends < 140, `${sends} sent`);
  peer.handleReceipt(RECEIPT_GREETING, 'acked');
  t.equal(peer.send('n', 'x'.repeat(4000)), 'sent');
});

t.test('a peer whose PARAMS take too little ends, and send does not throw', async (t) => {
  for (const say of ['message', 'control']) {
    const { peer, port, broken } = build(false);
    port.result = 3; // SEND_TOO_LARGE: by the number of channels, or by bytes
    if (say === 'message') t.equal(peer.send('n', 1), 'queued');
    else peer.sendControl('$hello', {});
    peer.send('n', 2);
    t.same(broken, [], 'not from inside send');
    await Promise.resolve();
    const reason = say === 'message' ? 'message-too-large' : 'params-too-small';
    t.same(broken, [reason], 'once');
  }
});
