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
