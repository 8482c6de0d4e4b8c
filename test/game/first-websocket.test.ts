/**
 * The server loads the `ws` package with the first upgrade. What comes and goes while that takes its time:
 * here the import is held until everything has happened.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { register } from 'node:module';
import { connect, type Socket } from 'node:net';
import { MessageChannel } from 'node:worker_threads';
import t from 'tap';
import { dial, listen, until } from './support.js';

/** Module hooks, which run on a thread of their own: `ws` is found once a message has come. */
const HOOKS = `
let port, isReleased;
export function initialize(data) {
  port = data.port;
  isReleased = new Promise((release) => port.once('message', release));
}
export async function resolve(specifier, context, next) {
  if (specifier === 'ws' && /src.server.node-front/.test(context.parentURL)) {
    port.postMessage('asked');
    await isReleased;
  }
  return next(specifier, context);
}`;

const { port1: hooks, port2: port } = new MessageChannel();
register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, {
  data: { port },
  transferList: [port],
});
t.teardown(() => hooks.close());

/** The server's ends of connections, by the client's port. */
const accepted = new Map<number, Socket>();
const handleSocket = (message: unknown) => {
  const { socket } = message as { socket: Socket };
  accepted.set(socket.remotePort ?? 0, socket);
};
subscribe('net.server.socket', handleSocket);
t.teardown(() => unsubscribe('net.server.socket', handleSocket));

/** A client that speaks HTTP and WebSocket byte by byte. */
class Visitor {
  heard = '';
  readonly #socket: Socket;
  readonly #port: number;
  #sentBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#port = socket.localPort as number; // which is gone with the connection
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.heard += text;
    });
    socket.on('error', () => {});
  }

  /** Asks for an upgrade, with messages in the same segment. */
  static async open(httpPort: number, playerId: string, ...numbers: number[]): Promise<Visitor> {
    const url = `http://127.0.0.1:${httpPort}/v1/game/ticket`;
    const headers = { 'Content-Type': 'application/json', 'X-Session-Token': playerId };
    const response = await fetch(url, { method: 'POST', headers, body: '{}' });
    const { ticket } = (await response.json()) as { ticket: string };
    const socket = connect(httpPort, '127.0.0.1');
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    const visitor = new Visitor(socket);
    const request =
      `GET /v1/game/ws?ticket=${ticket} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n` +
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    visitor.#write(Buffer.concat([Buffer.from(request), ...numbers.map(frameOf)]));
    return visitor;
  }

  say(...numbers: number[]): void {
    this.#write(Buffer.concat(numbers.map(frameOf)));
  }

  hangUp(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** The server's process has all that was said. */
  async isHeard(): Promise<void> {
    await until(() => this.#serverEnd?.bytesRead === this.#sentBytes, 'the bytes');
  }

  /** The server's process knows that nothing more comes. */
  get isKnownGone(): boolean {
    return this.#serverEnd?.readable === false;
  }

  /** Nobody holds the server's end any more. */
  get isLetGo(): boolean {
    return this.#serverEnd?.destroyed === true;
  }

  #write(bytes: Buffer): void {
    this.#sentBytes += bytes.length;
    this.#socket.write(bytes);
  }

  get #serverEnd(): Socket | undefined {
    return accepted.get(this.#port);
  }
}

/** A text frame with a mask of zeros: RFC 6455 §5.2. */
function frameOf(n: number): Buffer {
  const text = Buffer.from(JSON.stringify({ type: 'n', payload: n }));
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]);
}

t.test('what happens while `ws` is loaded for the first WebSocket is not lost', async (t) => {
  const server = await listen({ ws: { engine: 'ws' }, resumeWindowMs: 0 });
  t.teardown(() => server.close());
  const told: string[] = [];
  server.onJoin(({ id }) => told.push(`${id} joins`));
  server.on('n', ({ id }, n) => told.push(`${id} ${n}`));
  server.onLeave(({ id }, { code }) => told.push(`${id} leaves ${code}`));
  const of = (id: string) => told.filter((line) => line.startsWith(id));

  const isAsked = once(hooks, 'message');
  const open = (id: string, ...numbers: number[]) => Visitor.open(server.http.port, id, ...numbers);
  const talker = await open('talker', 1, 2);
  await isAsked;
  const leaver = await open('leaver', 1);
  const silent = await open('silent');
  const reset = await open('reset', 1);
  const revoked = await open('revoked', 1);
  const older = await open('dialler', 1);
  for (const visitor of [talker, leaver, silent, reset, revoked, older]) await visitor.isHeard();
  talker.say(3);
  talker.say(4, 5);
  leaver.say(2);
  await talker.isHeard();
  await leaver.isHeard();
  leaver.hangUp();
  silent.hangUp();
  reset.reset();
  await until(() => silent.isKnownGone && reset.isKnownGone, 'the ends');
  server.revoke('revoked', 'cheating');
  const newer = await dial(server, 'udp', 'dialler');
  t.same(told, ['dialler joins'], 'nobody is in by WebSocket yet');
  hooks.postMessage('go on');

  await until(() => of('talker').length === 6, 'what was said');
  t.same(of('talker'), ['talker joins', ...[1, 2, 3, 4, 5].map((n) => `talker ${n}`)]);
  talker.say(6);
  await until(() => of('talker').at(-1) === 'talker 6', 'what is said later');
  t.match(talker.heard, /^HTTP\/1\.1 101 .*"\$hello"/s);
  await until(() => of('leaver').length === 4, 'the leave');
  t.same(of('leaver'), ['leaver joins', 'leaver 1', 'leaver 2', 'leaver leaves 1006']);
  await until(() => silent.isLetGo && reset.isLetGo, 'their sockets');
  t.same([of('silent'), of('reset')], [[], []], 'who had gone never was here');
  await until(() => revoked.heard !== '' && older.heard !== '', 'the answers');
  t.match(revoked.heard, /^HTTP\/1\.1 401 /);
  t.same(of('revoked'), [], 'nor who was revoked');
  t.same(of('dialler'), ['dialler joins'], 'the newer dial stays');
  t.equal(newer.state, 'open');
  t.equal(server.players.get('dialler')?.wire, 'udp');
  t.equal(server.players.size, 2);
});
