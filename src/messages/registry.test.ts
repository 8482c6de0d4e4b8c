import t from 'tap';
import { GameEvent, Input, Snapshot } from './generated/index.js';
import {
  BODY_BYTES_MAX,
  createRegistry,
  DECODE_BAD_BODY,
  DECODE_BAD_ID,
  DECODE_BAD_JSON,
  DECODE_EMPTY,
  DECODE_OK,
  DECODE_RUNTIME,
  DECODE_STATUS_NAMES,
  DECODE_TOO_LARGE,
  DECODE_UNKNOWN_ID,
  MessageError,
  type MessageType,
} from './index.js';

const registry = createRegistry({ Input, Snapshot, GameEvent });
const strict = createRegistry({ Input, Snapshot, GameEvent }, { strict: true });
const out = new Uint8Array(600_000);
const frame = { seq: 1, clientMs: 2, actions: 3, direction: -1 };

/** Message data of a JSON body, whatever it is. */
function jsonBytes(text: string): Uint8Array {
  return Buffer.concat([Uint8Array.of(0), Buffer.from(text)]);
}

const decodeText = (text: string): number => {
  const bytes = jsonBytes(text);
  return registry.decode(bytes, 0, bytes.length);
};

t.test('sizes are those of the workload', async (t) => {
  const size = (name: string, value: unknown): number => registry.encode(name, value, out, 0, 9000);
  const player = { netId: 1, stateId: 0, direction: 1, health: 60, lives: 3, playerIndex: 0 };
  const full = { ...player, flags: 0, lastSeq: 1, x: 0.1, y: 0, vx: 0, vy: 0 };
  const boomerang = { netId: 1, ownerNetId: 2, state: 2, x: 0, y: 0, vx: 0, vy: 0 };
  const flying = { ...boomerang, distance: 1, charge: 0.5 };
  const snapshot = (players: number, boomerangs: number): unknown => ({
    players: Array(players).fill(full),
    boomerangs: Array(boomerangs).fill(flying),
  });
  t.equal(size('Snapshot', snapshot(2, 0)), 1 + 112);
  t.equal(size('Snapshot', snapshot(4, 2)), 1 + 232);
  t.equal(size('Snapshot', snapshot(64, 32)), 1 + 2872);
  t.equal(size('Input', { inputs: [frame] }), 1 + 36);
  t.equal(size('Input', { inputs: [frame, frame, frame] }), 1 + 60);
  t.ok(size('GameEvent', { kind: 6 }) <= 64);
});

t.test(
  'names and ids that are wrong, doubled or reserved are refused at registration',
  async (t) => {
    const as = (change: Partial<MessageType>): MessageType =>
      Object.assign(Object.create(Input), change) as MessageType;
    const refuses = (types: Record<string, MessageType>, what: string): void => {
      t.throws(() => createRegistry(types), { code: 'bad-registry', name: 'MessageError' }, what);
    };
    refuses({ Other: Input }, 'a key that is not the name');
    refuses({ $hello: as({ name: '$hello' }) }, 'a name with $');
    refuses({ '': as({ name: '' }) }, 'an empty name');
    for (const id of [-1, 0, 1, 31, 16384, 32.5, NaN]) refuses({ Input: as({ id }) }, `id ${id}`);
    refuses({ Input, Copy: as({ name: 'Copy' }) }, 'an id given twice');
  },
);

t.test('the hash depends on the types, not on their order', async (t) => {
  t.equal(createRegistry({ GameEvent, Snapshot, Input }).hash, registry.hash);
  t.not(createRegistry({ Input, Snapshot }).hash, registry.hash);
  const moved = Object.assign(Object.create(Input), { id: 40 }) as MessageType;
  t.not(createRegistry({ Input: moved, Snapshot, GameEvent }).hash, registry.hash);
  t.equal(registry.hash >>> 0, registry.hash);
  t.equal(registry.typeById(33), Snapshot);
  t.equal(registry.typeByName('Snapshot'), Snapshot);
  t.strictSame(
    registry.types.map((type) => type.id),
    [32, 33, 34],
  );
});

t.test('refused values name their path', async (t) => {
  const cases: [string, unknown, string][] = [
    ['Snapshot', null, 'Snapshot'],
    ['Snapshot', [], 'Snapshot'],
    ['Snapshot', { tick: -1 }, 'Snapshot.tick'],
    ['Snapshot', { tick: 2 ** 32 }, 'Snapshot.tick'],
    ['Snapshot', { tick: 1.5 }, 'Snapshot.tick'],
    ['Snapshot', { tick: '1' }, 'Snapshot.tick'],
    ['Snapshot', { tick: 1n }, 'Snapshot.tick'],
    ['Snapshot', { matchState: 5 }, 'Snapshot.matchState'],
    ['Snapshot', { players: {} }, 'Snapshot.players'],
    ['Snapshot', { players: Array(65).fill(null) }, 'Snapshot.players'],
    ['Snapshot', { players: [null] }, 'Snapshot.players[0]'],
    ['Snapshot', { players: [{}] }, 'Snapshot.players[0].netId'],
    ['Input', { inputs: [frame, { ...frame, direction: 2 }] }, 'Input.inputs[1].direction'],
    ['Input', { inputs: [{ ...frame, actions: 32 }] }, 'Input.inputs[0].actions'],
    ['GameEvent', { x: NaN }, 'GameEvent.x'],
    ['GameEvent', { x: Infinity }, 'GameEvent.x'],
    ['GameEvent', { x: 3.5e38 }, 'GameEvent.x'],
    ['GameEvent', { charge: 1.01 }, 'GameEvent.charge'],
    ['GameEvent', { damage: 61 }, 'GameEvent.damage'],
  ];
  for (const [name, value, path] of cases) {
    const expected = { code: 'bad-value', path };
    t.throws(() => registry.encode(name, value, out, 0, 9000), expected, `${path} on UDP`);
    t.throws(() => registry.toJson(name, value), expected, `${path} on WebSocket`);
    const payload = JSON.stringify({ type: name, payload: value }, (_, item: unknown) =>
      typeof item === 'bigint' ? 0.5 : item,
    );
    t.throws(() => registry.fromJson(payload), { code: 'bad-value' }, `${path} received`);
  }
});

t.test('unknown fields are refused when strict and stripped otherwise', async (t) => {
  const value = { inputs: [{ ...frame, extra: 1 }] };
  const expected = { code: 'bad-value', path: 'Input.inputs[0].extra' };
  t.throws(() => strict.encode('Input', value, out, 0, 9000), expected);
  t.throws(() => strict.toJson('Input', value), expected);
  t.strictSame(registry.fromJson(registry.toJson('Input', value)).payload, { inputs: [frame] });
  t.equal(registry.encode('Input', value, out, 0, 9000), 37);
  const text = JSON.stringify({ type: 'Input', payload: value });
  t.strictSame(strict.fromJson(text).payload, { inputs: [frame] }, 'a newer peer is not refused');
});

t.test('defaults are filled and floats rounded on both wires', async (t) => {
  const event = registry.fromJson(registry.toJson('GameEvent', { x: 0.1, y: -0 })).payload;
  const length = registry.encode('GameEvent', { x: 0.1, y: -0 }, out, 0, 9000);
  t.equal(registry.decode(out, 0, length), DECODE_OK);
  t.strictSame(registry.decodedValue(), event);
  const { x, y } = event as { x: number; y: number };
  t.equal(x, Math.fround(0.1));
  t.ok(Object.is(y, 0));
});

t.test('an unregistered name travels as JSON of id 0', async (t) => {
  const value = { name: 'zażółć 🪃', list: [1, null, { a: true }], bom: '\ufeffx' };
  const length = registry.encode('LobbyUpdate', value, out, 5, 9000);
  t.equal(out[5], 0);
  t.equal(registry.decode(out, 5, length), DECODE_OK);
  t.match(registry.decoded, { id: 0, name: 'LobbyUpdate', type: null });
  t.strictSame(registry.decodedValue(), value);
  const text = registry.toJson('LobbyUpdate', value);
  t.equal(new TextDecoder().decode(out.subarray(6, 5 + length)), text, 'one text on both wires');
  t.equal(registry.encode('LobbyUpdate', value, out, 0, length - 1), -1);
  t.equal(registry.encode('LobbyUpdate', value, out, 0, length), length);
  t.equal(registry.fromJson(registry.toJson('Ping', undefined)).payload, undefined);
});

t.test('names with $ belong to the runtime', async (t) => {
  const reserved = { code: 'reserved-type' };
  t.throws(() => registry.encode('$hello', {}, out, 0, 9000), reserved);
  t.throws(() => registry.toJson('$hello', {}), reserved);
  t.throws(() => registry.fromJson('{"type":"$hello"}'), reserved);
  t.throws(() => registry.runtime.toJson('hello', {}), reserved);
  const length = registry.runtime.encode('$hello', { v: 1 }, out, 0, 9000);
  t.equal(registry.decode(out, 0, length), DECODE_RUNTIME);
  t.equal(registry.decoded.name, '$hello');
  t.strictSame(registry.decodedValue(), { v: 1 });
  const text = registry.runtime.toJson('$ack', { n: 7 });
  t.strictSame(registry.runtime.fromJson(text), { type: '$ack', payload: { n: 7 } });
  t.strictSame(registry.runtime.fromJson('{"type":"chat","payload":1}').type, 'chat');
});

t.test('ids 1 to 31 carry raw bodies of the runtime', async (t) => {
  t.equal(registry.runtime.encodeId(7, out, 3, 10), 1);
  t.equal(registry.decode(out, 3, 5), DECODE_RUNTIME);
  t.match(registry.decoded, { id: 7, name: '', type: null, bodyOffset: 4, bodyLength: 4 });
  t.throws(() => registry.runtime.encodeId(0, out, 0, 1), MessageError);
  t.throws(() => registry.runtime.encodeId(32, out, 0, 1), MessageError);
  t.equal(registry.runtime.encodeId(7, out, 0, 0), -1);
});

t.test(
  'type ids that are cut off, too long, not the shortest or unknown are counted',
  async (t) => {
    const decode = (...bytes: number[]): string =>
      DECODE_STATUS_NAMES[registry.decode(Uint8Array.from(bytes), 0, bytes.length)];
    t.equal(decode(), DECODE_STATUS_NAMES[DECODE_EMPTY]);
    for (const bytes of [[0x80], [0x80, 0x00], [0xa0, 0x00], [0x80, 0x80], [0xff, 0xff, 0x01]]) {
      t.equal(decode(...bytes), DECODE_STATUS_NAMES[DECODE_BAD_ID], String(bytes));
    }
    t.equal(decode(0x23), DECODE_STATUS_NAMES[DECODE_UNKNOWN_ID]);
    t.equal(decode(0xff, 0x7f), DECODE_STATUS_NAMES[DECODE_UNKNOWN_ID]);
    t.equal(decode(0x20), DECODE_STATUS_NAMES[DECODE_BAD_BODY]);
    t.equal(decode(0x20, 1, 2, 3, 4, 5, 6, 7, 8), DECODE_STATUS_NAMES[DECODE_BAD_BODY]);
    t.equal(registry.decode(out, out.length - 1, 2), DECODE_BAD_ID, 'a range past the array');
  },
);

t.test('hostile JSON is a status on UDP and a typed error on WebSocket', async (t) => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const wide = `${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}`;
  const cases: [string, string][] = [
    ['', 'bad-json'],
    ['{', 'bad-json'],
    ['{"type":"a"} x', 'bad-json'],
    ['\ufeff{"type":"a"}', 'bad-json'],
    ['null', 'bad-frame'],
    ['[]', 'bad-frame'],
    ['"a"', 'bad-frame'],
    ['{}', 'bad-frame'],
    ['{"type":1}', 'bad-frame'],
    ['{"type":""}', 'bad-frame'],
    ['{"__proto__":{"type":"a"}}', 'bad-frame'],
    ['{"type":"a","payload":{"__proto__":{"x":1}}}', 'bad-json'],
    ['{"type":"a","payload":[{"\\u005f_proto__":1}]}', 'bad-json'],
    ['{"type":"a","payload":{"constructor":{"prototype":{}}}}', 'bad-json'],
    [`{"type":"a","payload":${deep}}`, 'bad-json'],
    [`{"type":"a","payload":${wide}}`, 'bad-json'],
    [deep, 'bad-frame'],
  ];
  for (const [text, code] of cases) {
    t.throws(() => registry.fromJson(text), { code, name: 'MessageError' }, text.slice(0, 60));
    t.equal(decodeText(text), DECODE_BAD_JSON, text.slice(0, 60));
  }
  t.equal(decodeText('{"type":"Input","payload":{"inputs":1}}'), DECODE_BAD_BODY);
  const invalid = Uint8Array.of(0, ...Buffer.from('{"type":"'), 0xff, ...Buffer.from('"}'));
  t.equal(registry.decode(invalid, 0, invalid.length), DECODE_BAD_JSON);
  const nested = registry.fromJson(`{"type":"Input","payload":{"x":${deep},"inputs":[]}}`);
  t.strictSame(nested.payload, { inputs: [] }, 'stripped before anyone walks it');
  t.equal(({} as { x?: unknown }).x, undefined);
});

t.test('values that are not JSON are refused when sent', async (t) => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  t.throws(() => registry.toJson('a', cycle), { code: 'bad-json' });
  t.throws(() => registry.toJson('a', { n: 1n }), { code: 'bad-value' });
  t.throws(() => registry.toJson('', 1), { code: 'bad-frame' });
});

t.test('a body over the limit is message-too-large on either wire', async (t) => {
  const overhead = JSON.stringify({ type: 'a', payload: '' }).length;
  const largest = 'x'.repeat(BODY_BYTES_MAX - overhead);
  const length = registry.encode('a', largest, out, 0, out.length);
  t.equal(length, 1 + BODY_BYTES_MAX);
  t.equal(registry.decode(out, 0, length), DECODE_OK);
  t.equal(registry.fromJson(registry.toJson('a', largest)).payload, largest);
  t.equal(registry.encode('a', largest, out, 0, 1000), -1, 'only the room is short');
  const large = { code: 'message-too-large' };
  t.throws(() => registry.encode('a', `${largest}x`, out, 0, out.length), large);
  t.throws(() => registry.toJson('a', `${largest}x`), large);
  t.throws(() => registry.toJson('a', '€'.repeat(BODY_BYTES_MAX / 2)), large);
  t.throws(() => registry.fromJson(`{"type":"a","payload":"${largest}x"}`), large);
  t.equal(registry.decode(out, 0, BODY_BYTES_MAX + 2), DECODE_TOO_LARGE);
});

t.test('options of a registry, and what is no type, are refused by name', async (t) => {
  const unknown = () => createRegistry({}, { strct: true } as never);
  t.throws(unknown, { code: 'bad-option', message: /unknown option strct; known: strict/ });
  const wrong = () => createRegistry({}, { strict: 1 } as never);
  t.throws(wrong, { code: 'bad-option', message: /strict is 1, accepted: true or false/ });
  for (const type of [null, undefined, 5, {}]) {
    const none = () => createRegistry({ Thing: type } as never);
    t.throws(none, { code: 'bad-registry', message: /Thing is no message type/ });
  }
});
