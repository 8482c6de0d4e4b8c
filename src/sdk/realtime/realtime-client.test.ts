import t from 'tap';
import { RealtimeClient } from './realtime-client.js';
import { readReconnectPolicy } from './reconnect.js';
import type { RealtimeSocket, RealtimeSocketEvents } from './socket.js';

/** A socket whose peer is the test; it delivers what is pushed, paused or not. */
class Socket implements RealtimeSocket {
  isPaused = false;
  events: RealtimeSocketEvents = { onText() {}, onClose() {} };

  start(events: RealtimeSocketEvents): void {
    this.events = events;
  }
  push(count: number): void {
    for (let i = 0; i < count; i++) this.events.onText('{"type":"presence"}');
  }
  close(code: number, reason: string): void {
    this.events.onClose(code, reason);
  }
  terminate(): void {
    this.close(1006, '');
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
}

t.test('a slow reader stops the socket, the one after an outage too', async (t) => {
  const first = new Socket();
  const second = new Socket();
  let tellReopened = () => {};
  const reopened = new Promise<void>((resolve) => {
    tellReopened = resolve;
  });
  const host = {
    dial: async () => second,
    policy: readReconnectPolicy({ jitter: () => 0 }),
    onReconnect: () => queueMicrotask(tellReopened),
    logger: { info() {}, warn() {} },
    now: () => 0,
  };
  const client = new RealtimeClient(host, first);
  t.teardown(() => client.close());
  first.push(255);
  t.equal(first.isPaused, false);
  first.push(1);
  t.equal(first.isPaused, true);
  first.terminate();
  await reopened;
  second.push(1);
  t.equal(second.isPaused, true, 'the queue is as full as it was');
  for (let read = 0; read < 128; read++) await client.readMessage();
  t.equal(second.isPaused, true);
  await client.readMessage();
  t.equal(second.isPaused, false, 'half of it has been read');
});

t.test('attempts are counted anew once a connection has held for 30 s', async (t) => {
  let nowMs = 0;
  let reopened = () => {};
  const attempts: unknown[] = [];
  const socket = new Socket();
  const host = {
    dial: async () => socket,
    policy: readReconnectPolicy({ jitter: () => 0, maxAttempts: 2 }),
    onReconnect: () => queueMicrotask(() => reopened()),
    logger: { info: (fields: object) => attempts.push((fields as AttemptLine).attempt), warn() {} },
    now: () => nowMs,
  };
  const client = new RealtimeClient(host, socket);
  for (const heldMs of [0, 29_999, 30_000, 0]) {
    const back = new Promise<void>((resolve) => {
      reopened = resolve;
    });
    nowMs += heldMs;
    socket.terminate();
    await back;
  }
  t.same(attempts, [1, 2, 1, 2]);
  socket.terminate();
  await t.rejects(client.readMessage(), { name: 'RealtimeError', closeCode: 1006 });
  t.equal(attempts.length, 4);
});

interface AttemptLine {
  attempt: number;
}
