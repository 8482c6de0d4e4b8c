// Hostile FlatBuffers: verify says false, or every read of the bytes is safe and gives a value that
// our own schema accepts.
import t from 'tap';
import { Input, Snapshot } from '../../src/messages/generated/index.js';
import type { MessageType } from '../../src/messages/index.js';
import { Kitchen, Tree } from './generated/index.js';
import { buildBytes, randomOf, randomValue, type Value } from './oracle.js';
import { safetyOf } from './safety.js';
import { loadSubjects, type Subject } from './types.js';

const subjects = await loadSubjects();
const scratch = new Uint8Array(65_536);

function encodeValue(type: MessageType, value: unknown): Uint8Array {
  return scratch.slice(0, type.encode(value, scratch, 0, scratch.length));
}

const isSafe = (subject: Subject, bytes: Uint8Array): boolean =>
  safetyOf(subject, bytes).flaw === null;

for (const subject of subjects) {
  const { type, model } = subject;
  t.test(`${type.name}: every truncation is refused or safe`, async (t) => {
    for (const seed of [1, 2, 3]) {
      const value = type.normalize(randomValue(model, randomOf(seed)), true) as Value;
      for (const bytes of [encodeValue(type, value), buildBytes(model, value)]) {
        for (let length = 0; length < bytes.length; length++) {
          if (!isSafe(subject, bytes.subarray(0, length)))
            return t.fail(`${seed}: ${length} bytes`);
        }
        for (let start = 1; start < Math.min(64, bytes.length); start++) {
          if (!isSafe(subject, bytes.subarray(start))) return t.fail(`${seed}: from ${start}`);
        }
      }
    }
    return t.pass();
  });

  t.test(`${type.name}: flipped, replaced and random bytes are refused or safe`, async (t) => {
    let refused = 0;
    const rounds = 6_000;
    for (let seed = 0; seed < rounds; seed++) {
      const random = randomOf(seed * 31 + type.id);
      const value = type.normalize(randomValue(model, random), true) as Value;
      const bytes = seed % 2 === 0 ? encodeValue(type, value) : buildBytes(model, value);
      mutate(bytes, random);
      if (!isSafe(subject, bytes))
        return t.fail(`seed ${seed}: ${Buffer.from(bytes).toString('hex')}`);
      if (!type.verify(bytes, 0, bytes.length)) refused++;
    }
    t.ok(refused > 0 && refused < rounds, `${refused} of ${rounds} refused`);
    for (let seed = 0; seed < rounds; seed++) {
      const random = randomOf(seed);
      const bytes = Uint8Array.from({ length: random() % 80 }, () => random() & (random() % 64));
      if (!isSafe(subject, bytes)) return t.fail(`garbage of seed ${seed}`);
    }
    return t.pass();
  });
}

const NASTY = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xff];

/** 1–3 changes: a bit, a byte, or an aligned word; mostly near the front, where the offsets are. */
function mutate(bytes: Uint8Array, random: () => number): void {
  const changes = 1 + (random() % 3);
  for (let i = 0; i < changes; i++) {
    const range = random() % 2 === 0 ? Math.min(bytes.length, 64) : bytes.length;
    const at = random() % range;
    const kind = random() % 3;
    if (kind === 0) bytes[at] ^= 1 << (random() % 8);
    else if (kind === 1) bytes[at] = NASTY[random() % NASTY.length];
    else if (at + 4 <= bytes.length) {
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(at & ~3, random(), true);
    }
  }
}

/** An Input of one frame, to damage by hand: root 12, vtable 4…10, vector at 20. */
function inputBytes(): DataView<ArrayBuffer> {
  const frame = { seq: 1, clientMs: 2, actions: 3, direction: 1 };
  const bytes = encodeValue(Input, { inputs: [frame] });
  return new DataView(bytes.buffer as ArrayBuffer, 0, bytes.length);
}

const isInput = (view: DataView): boolean =>
  Input.verify(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), 0, view.byteLength);

t.test('each structural lie is refused', async (t) => {
  const lies: Record<string, (view: DataView) => void> = {
    'root before the first table': (v) => v.setUint32(0, 0, true),
    'root inside itself': (v) => v.setUint32(0, 1, true),
    'root past the end': (v) => v.setUint32(0, 36, true),
    'root of 2^32 - 1': (v) => v.setUint32(0, 0xffffffff, true),
    'root not aligned': (v) => v.setUint32(0, 13, true),
    'vtable before the message': (v) => v.setInt32(12, 13, true),
    'vtable after the message': (v) => v.setInt32(12, -24, true),
    'vtable far before': (v) => v.setInt32(12, 0x7fffffff, true),
    'vtable far behind': (v) => v.setInt32(12, -0x80000000, true),
    'vtable on an odd byte': (v) => v.setInt32(12, 7, true),
    'vtable that is the table': (v) => v.setInt32(12, 0, true),
    'vtable of 0 bytes': (v) => v.setUint16(6, 0, true),
    'vtable of 2 bytes': (v) => v.setUint16(6, 2, true),
    'vtable of an odd size': (v) => v.setUint16(6, 7, true),
    'vtable longer than the message': (v) => v.setUint16(6, 0xfffe, true),
    'table of 0 bytes': (v) => v.setUint16(8, 0, true),
    'table longer than the message': (v) => v.setUint16(8, 0xffff, true),
    'field inside the soffset': (v) => v.setUint16(10, 2, true),
    'field past the table': (v) => v.setUint16(10, 8, true),
    'field not aligned': (v) => v.setUint16(10, 5, true),
    'vector at itself': (v) => v.setUint32(16, 0, true),
    'vector not aligned': (v) => v.setUint32(16, 2, true),
    'vector past the end': (v) => v.setUint32(16, 20, true),
    'vector of 2^31 bytes away': (v) => v.setUint32(16, 0x80000000, true),
    'vector of 2 elements in room for 1': (v) => v.setUint32(20, 2, true),
    'vector of 2^31 elements': (v) => v.setUint32(20, 0x80000000, true),
    'vector of 2^32 - 1 elements': (v) => v.setUint32(20, 0xffffffff, true),
    'vector size that wraps 32 bits': (v) => v.setUint32(20, 0x15555556, true),
    'direction out of range': (v) => v.setInt8(34, 2),
    'an unknown action': (v) => v.setUint16(32, 0x20, true),
  };
  const intact = inputBytes();
  t.equal(intact.getUint32(0, true), 12, 'the layout the lies are about');
  t.equal(intact.getUint32(20, true), 1);
  t.ok(isInput(intact));
  for (const [name, lie] of Object.entries(lies)) {
    const view = inputBytes();
    lie(view);
    t.notOk(isInput(view), name);
  }
});

t.test('a byte field inside the head of its table is refused', async (t) => {
  const bytes = encodeValue(Snapshot, Snapshot.normalize({}, true));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  t.equal(view.getUint16(12, true), 24, 'the slot of match_state');
  view.setUint16(12, 1, true);
  t.notOk(Snapshot.verify(bytes, 0, bytes.length));
});

t.test('bad ranges given to verify are refused', async (t) => {
  const bytes = new Uint8Array(inputBytes().buffer);
  t.notOk(Input.verify(bytes, 0, bytes.length + 1));
  t.notOk(Input.verify(bytes, 4, bytes.length));
  t.notOk(Input.verify(bytes, -4, bytes.length));
  t.notOk(Input.verify(bytes, 0, 0));
});

t.test('floats that JSON cannot carry are refused, a negative zero reads as zero', async (t) => {
  const player = { netId: 1, stateId: 0, direction: 0, health: 1, lives: 1, playerIndex: 0 };
  const state = { ...player, flags: 0, lastSeq: 0, x: 1, y: 1, vx: 1, vy: 1 };
  const bytes = encodeValue(Snapshot, Snapshot.normalize({ players: [state] }, true));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const at = bytes.length - 4 - 16;
  t.equal(view.getFloat32(at, true), 1, 'x of the player');
  for (const bad of [NaN, Infinity, -Infinity]) {
    view.setFloat32(at, bad, true);
    t.notOk(Snapshot.verify(bytes, 0, bytes.length), String(bad));
  }
  view.setFloat32(at, -0, true);
  t.ok(Snapshot.verify(bytes, 0, bytes.length));
  t.ok(Object.is(Snapshot.read(bytes, 0, bytes.length).players[0].x, 0));
  t.ok(Object.is(Snapshot.view(bytes, 0, bytes.length).players(0).x, 0));
});

/** A chain of nodes, each the only child of the one before. */
function chain(depth: number): Value {
  let node: Value = { value: 1, children: [], leaf: null };
  for (let i = 1; i < depth; i++) node = { value: 1, children: [node], leaf: null };
  return { root: node };
}

t.test('deep nesting is refused by both codecs at the same depth', async (t) => {
  const fits = Tree.normalize(chain(32), true);
  const bytes = encodeValue(Tree, fits);
  t.ok(Tree.verify(bytes, 0, bytes.length));
  t.ok(Tree.accepts(fits));
  t.throws(() => Tree.normalize(chain(33), true), { code: 'bad-value' });
  t.notOk(Tree.accepts(chain(33)));
  const deep = encodeValue(Tree, chain(33));
  t.notOk(Tree.verify(deep, 0, deep.length));
  const deepest = encodeValue(Tree, chain(1000));
  t.notOk(Tree.verify(deepest, 0, deepest.length));
  const cycle: Value = { value: 1, children: [] as unknown[], leaf: null };
  (cycle.children as unknown[]).push(cycle);
  t.throws(() => Tree.normalize({ root: cycle }, true), { code: 'bad-value' });
  t.notOk(Tree.accepts({ root: cycle }));
});

/** A tree whose level n points `width` times to the one table of level n + 1. */
function sharedTree(levels: number, width: number): Uint8Array {
  const blockBytes = 12 + 12 + 4 * width;
  const view = new DataView(new ArrayBuffer(40 + levels * blockBytes));
  const u16 = (at: number, words: number[]): void => {
    for (const [i, word] of words.entries()) view.setUint16(at + 2 * i, word, true);
  };
  const nodeAt = (level: number): number => 40 + level * blockBytes + 8;
  const top = 16;
  view.setUint32(0, top, true);
  u16(4, [6, 8, 4]);
  view.setInt32(top, top - 4, true);
  view.setUint32(top + 4, nodeAt(0) - (top + 4), true);
  for (let level = 0; level < levels; level++) {
    const at = nodeAt(level);
    const isLast = level === levels - 1;
    u16(at - 8, [8, 8, 0, isLast ? 0 : 4]);
    view.setInt32(at, 8, true);
    view.setUint32(at + 4, 4, true);
    view.setUint32(at + 8, isLast ? 0 : width, true);
    for (let i = 0; i < width && !isLast; i++) {
      const slot = at + 12 + 4 * i;
      view.setUint32(slot, nodeAt(level + 1) - slot, true);
    }
  }
  return new Uint8Array(view.buffer);
}

t.test('children shared by many parents are refused before they cost anything', async (t) => {
  const small = sharedTree(3, 2);
  t.ok(Tree.verify(small, 0, small.length), 'a little sharing is legal');
  t.equal(Tree.read(small, 0, small.length).root?.children[1].children.length, 2);
  // 8^19 tables: without a budget this does not end.
  const huge = sharedTree(20, 8);
  t.notOk(Tree.verify(huge, 0, huge.length));
});

t.test('bad strings are refused', async (t) => {
  const random = randomOf(5);
  const model = subjects.find((subject) => subject.type.name === 'Kitchen')?.model;
  if (model === undefined) throw new Error('no Kitchen');
  const value = { ...randomValue(model, random), title: 'Zażółć gęślą jaźń' };
  const bytes = encodeValue(Kitchen as MessageType, Kitchen.normalize(value, true));
  const needle = new TextEncoder().encode('Zażółć gęślą jaźń');
  const at = Buffer.from(bytes).indexOf(needle);
  t.ok(at > 0 && Kitchen.verify(bytes, 0, bytes.length));
  const bad: Record<string, number[]> = {
    'a lone continuation byte': [0x80],
    'an overlong form': [0xc0, 0x80],
    'an overlong form of three': [0xe0, 0x80, 0x80],
    'a surrogate': [0xed, 0xa0, 0x80],
    'above U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
    'a byte that never occurs': [0xff],
    'a form cut by the next character': [0xe3, 0x81, 0x41],
  };
  for (const [name, form] of Object.entries(bad)) {
    const copy = bytes.slice();
    copy.set(
      needle.map(() => 0x41),
      at,
    );
    t.ok(Kitchen.verify(copy, 0, copy.length));
    copy.set(form, at);
    t.notOk(Kitchen.verify(copy, 0, copy.length), name);
  }
  bytes[at + needle.length] = 1;
  t.notOk(Kitchen.verify(bytes, 0, bytes.length), 'no zero behind');
});
