import { isDeepStrictEqual } from 'node:util';
import { ByteBuffer } from 'flatbuffers';
import t from 'tap';
import { createRegistry, DECODE_OK, type MessageType } from '../../src/messages/index.js';
import { buildBytes, randomOf, randomValue, readAccessor, readView, type Value } from './oracle.js';
import { loadSubjects, TYPES } from './types.js';

const subjects = await loadSubjects();
const ROUNDS = 400;
const out = new Uint8Array(65_536);

/** Encodes at an odd offset between bytes that must stay, as a message lies in the ring. */
function encode(type: MessageType, value: unknown): Uint8Array {
  out.fill(0xa5);
  const length = type.encode(value, out, 7, out.length - 7);
  if (length < 0 || out[6] !== 0xa5 || out[7 + length] !== 0xa5) throw new Error('out of bounds');
  return out.slice(7, 7 + length);
}

for (const { type, model, accessor } of subjects) {
  t.test(`${type.name}: both codecs and the flatbuffers oracle agree`, async (t) => {
    const random = randomOf(type.id);
    const registry = createRegistry({ [type.name]: type });
    for (let round = 0; round < ROUNDS; round++) {
      const sent = randomValue(model, random);
      const value = type.normalize(sent, true) as Value;
      const bytes = encode(type, value);
      const foreign = buildBytes(model, value);
      const isSame = (what: string, found: unknown, wanted: unknown = value): void => {
        if (isDeepStrictEqual(found, wanted)) return;
        t.strictSame(found, wanted, `round ${round}: ${what}`);
        throw new Error(`round ${round}: ${what} differs for ${JSON.stringify(sent)}`);
      };
      isSame('accepts', [type.accepts(sent), type.accepts(value)], [true, true]);
      isSame('encode of an accepted value', encode(type, sent), bytes);
      isSame('verify', type.verify(bytes, 0, bytes.length), true);
      isSame('read', type.read(bytes, 0, bytes.length));
      isSame('JSON', registry.fromJson(registry.toJson(type.name, sent)).payload);
      isSame('flatc accessor', readAccessor(model, accessor(new ByteBuffer(bytes))));
      isSame('view', readView(model, type.view(bytes, 0, bytes.length)));
      isSame('verify of Builder bytes', type.verify(foreign, 0, foreign.length), true);
      isSame('read of Builder bytes', type.read(foreign, 0, foreign.length));
      isSame('view of Builder bytes', readView(model, type.view(foreign, 0, foreign.length)));
    }
    t.pass(`${ROUNDS} rounds`);
  });

  t.test(`${type.name}: every shorter capacity gives -1 and writes nothing behind`, async (t) => {
    const value = type.normalize(randomValue(model, randomOf(type.id + 1)), true);
    const { length } = encode(type, value);
    const isRefused = (capacity: number): boolean => {
      out.fill(0xa5);
      const isShort = type.encode(value, out, 7, capacity) === -1;
      return isShort && out.subarray(7 + capacity, 2 * length).every((byte) => byte === 0xa5);
    };
    const wrong = Array.from({ length }, (_, capacity) => capacity).filter((c) => !isRefused(c));
    t.strictSame(wrong, []);
    t.equal(type.encode(value, out, 7, length), length, 'the exact capacity fits');
    t.ok(length <= type.maxBytes, `${length} ≤ ${type.maxBytes}`);
  });
}

t.test('both wires deliver the same through the registry', async (t) => {
  const registry = createRegistry(TYPES);
  for (const { type, model } of subjects) {
    const random = randomOf(type.id + 2);
    for (let round = 0; round < 50; round++) {
      const sent = randomValue(model, random);
      const length = registry.encode(type.name, sent, out, 3, 60_000);
      t.equal(registry.decode(out, 3, length), DECODE_OK);
      const flat = registry.decodedValue();
      t.strictSame(registry.fromJson(registry.toJson(type.name, sent)), {
        type: type.name,
        payload: flat,
      });
      const asJson = registry.encodeAsJson(type.name, sent, out, 3, 60_000);
      t.equal(registry.decode(out, 3, asJson), DECODE_OK);
      t.strictSame(registry.decodedValue(), flat, 'id 0 of a registered name');
    }
  }
});
