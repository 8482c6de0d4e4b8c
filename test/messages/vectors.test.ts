import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import {
  createRegistry,
  DECODE_OK,
  DECODE_STATUS_NAMES,
  type JsonFrame,
} from '../../src/messages/index.js';
import { WORKLOAD_TYPES } from './workload-types.js';

interface Vector {
  title: string;
  given: unknown;
  value: unknown;
  message: string;
  json: string;
}
interface TypeFile {
  type: string;
  id: number;
  mode: number;
  channel: number;
  hash: number;
  vectors: Vector[];
}
interface FrameFile {
  registryHash: number;
  vectors: (JsonFrame & { message: string; json: string })[];
  refused: { message: string; status: string }[];
}

const { Input, Snapshot, GameEvent } = WORKLOAD_TYPES;
const registry = createRegistry(WORKLOAD_TYPES);
const out = new Uint8Array(8192);
const load = <T>(name: string): T =>
  JSON.parse(
    readFileSync(new URL(`../vectors/messages/${name}.json`, import.meta.url), 'utf8'),
  ) as T;

const encode = (name: string, value: unknown, by = registry): string => {
  const length = by.encode(name, value, out, 0, out.length);
  return Buffer.from(out.subarray(0, length)).toString('hex');
};

function decode(hex: string, by = registry): { status: string; value: unknown } {
  const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
  const status = by.decode(bytes, 0, bytes.length);
  const value = status === DECODE_OK ? by.decodedValue() : undefined;
  return { status: DECODE_STATUS_NAMES[status], value };
}

const FILES = [
  'input',
  'snapshot',
  'game-event',
  'game-state',
  'match-event',
  'score-event',
  'lobby-update',
  'lobby-action',
  'join-request',
  'join-accepted',
  'join-rejected',
];

for (const name of FILES) {
  const file = load<TypeFile>(name);
  t.test(`${file.type}: values, bytes and JSON are the golden ones`, async (t) => {
    const type = registry.typeByName(file.type);
    t.match(type, { id: file.id, mode: file.mode, channel: file.channel, hash: file.hash });
    for (const { title, given, value, message, json } of file.vectors) {
      t.equal(encode(file.type, given), message, `${title}: given → bytes`);
      t.equal(encode(file.type, value), message, `${title}: value → bytes`);
      t.ok(isDeepStrictEqual(decode(message), { status: 'ok', value }), `${title}: bytes → value`);
      t.equal(registry.toJson(file.type, given), json, `${title}: given → JSON`);
      t.strictSame(registry.fromJson(json), { type: file.type, payload: value }, `${title}: back`);
    }
  });
}

t.test('frames of no schema, the registry hash and refusals are the golden ones', async (t) => {
  const file = load<FrameFile>('frames');
  const first = createRegistry({ Input, Snapshot, GameEvent }) as typeof registry;
  t.equal(first.hash, file.registryHash);
  for (const { type, payload, message, json } of file.vectors) {
    t.equal(encode(type, payload, first), message, type);
    t.strictSame(decode(message, first), { status: 'ok', value: payload });
    t.equal(first.toJson(type, payload), json);
  }
  for (const { message, status } of file.refused)
    t.equal(decode(message, first).status, status, message);
});
