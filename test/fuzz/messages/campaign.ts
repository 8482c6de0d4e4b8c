/**
 * Damaged FlatBuffers of every schema against their verifiers. A message that is damaged and valid all the
 * same goes into a pool, when none of its shape is there, and is damaged further: so the fuzzer walks
 * through what verifiers take, not around it.
 */
import type { MessageType } from '../../../src/messages/index.js';
import { createRegistry } from '../../../src/messages/registry.js';
import { DECODE_BAD_BODY, DECODE_OK } from '../../../src/messages/types.js';
import { buildBytes, randomOf, randomValue, type Value } from '../../messages/oracle.js';
import { safetyOf } from '../../messages/safety.js';
import { loadSubjects, type Subject, TYPES } from '../../messages/types.js';
import { mutant, type Random } from './mutate.js';

export interface FlatEntry {
  type: string;
  hex: string;
}

export interface FlatFinding extends FlatEntry {
  flaw: string;
  seed: number;
}

export interface FlatCampaign {
  inputs: number;
  /** Damaged and valid all the same. */
  valid: number;
  /** One for each shape that was met. */
  pool: FlatEntry[];
  finding: FlatFinding | null;
}

export interface FlatOptions {
  seed: number;
  /** Asked once per input. */
  isOver(inputs: number): boolean;
  corpus?: readonly FlatEntry[];
  /** Puts a faulty type in the place of a good one. */
  plant?: (type: MessageType) => MessageType;
}

/** Of one type: the damage goes on from these. */
const POOL_MAX = 200;
const BYTES_MAX = 2048;
const scratch = new Uint8Array(65_536);
const registry = createRegistry(TYPES);

export async function runFlat(options: FlatOptions): Promise<FlatCampaign> {
  const subjects = await loadSubjects();
  const walks = subjects.map((subject) => new Walk(subject, options));
  const campaign: FlatCampaign = { inputs: 0, valid: 0, pool: [], finding: null };
  const random = randomOf(options.seed);
  for (const walk of walks) {
    campaign.finding ??= walk.replay(options.corpus ?? []);
  }
  while (campaign.finding === null && !options.isOver(campaign.inputs)) {
    const walk = walks[random() % walks.length];
    const other = walks[random() % walks.length];
    campaign.finding = walk.step(other.any(random), random);
    campaign.inputs += 1;
  }
  for (const walk of walks) {
    campaign.valid += walk.valid;
    campaign.pool.push(...walk.entries());
  }
  return campaign;
}

/** Few and short ones of each type, for the corpus. */
export function smallest(pool: readonly FlatEntry[], perType: number): FlatEntry[] {
  return Object.keys(TYPES).flatMap((name) => {
    const ofType = pool.filter(({ type }) => type === name);
    return ofType.sort((a, b) => a.hex.length - b.hex.length).slice(0, perType);
  });
}

class Walk {
  valid = 0;
  private readonly type: MessageType;
  private readonly pool = new Map<string, Uint8Array>();
  private list: Uint8Array[] = [];

  constructor(
    private readonly subject: Subject,
    private readonly options: FlatOptions,
  ) {
    this.type = options.plant?.(subject.type) ?? subject.type;
  }

  /** The entries of the corpus that are of this type. */
  replay(corpus: readonly FlatEntry[]): FlatFinding | null {
    for (const { type, hex } of corpus) {
      if (type !== this.type.name) continue;
      const finding = this.look(new Uint8Array(Buffer.from(hex, 'hex')), 0);
      if (finding !== null) return finding;
    }
    return null;
  }

  step(other: Uint8Array, random: Random): FlatFinding | null {
    const bytes = mutant(this.any(random), other, random).slice(0, BYTES_MAX);
    return this.look(bytes, random() % 8);
  }

  /** One of the pool, or a fresh message of either encoder. */
  any(random: Random): Uint8Array {
    if (this.list.length > 0 && random() % 4 !== 0) return this.list[random() % this.list.length];
    const { type, model } = this.subject;
    const value = type.normalize(randomValue(model, random), true) as Value;
    if (random() % 2 === 0) return buildBytes(model, value);
    return scratch.slice(0, Math.max(0, type.encode(value, scratch, 0, scratch.length)));
  }

  entries(): FlatEntry[] {
    return this.list.map((bytes) => ({
      type: this.type.name,
      hex: Buffer.from(bytes).toString('hex'),
    }));
  }

  private look(bytes: Uint8Array, shift: number): FlatFinding | null {
    const { isValid, flaw } = safetyOf(this.subject, bytes, shift, this.type);
    const wrong = flaw ?? this.flawOfRegistry(bytes, isValid);
    if (wrong !== null) {
      const hex = Buffer.from(bytes).toString('hex');
      return { type: this.type.name, hex, flaw: wrong, seed: this.options.seed };
    }
    if (isValid) {
      this.valid += 1;
      this.keep(bytes);
    }
    return null;
  }

  /** The same behind its id, as it comes off the wire. */
  private flawOfRegistry(bytes: Uint8Array, isValid: boolean): string | null {
    if (this.options.plant !== undefined) return null;
    const { id } = this.type;
    const head = id < 0x80 ? [id] : [0x80 | (id & 0x7f), id >> 7];
    const data = new Uint8Array([...head, ...bytes]);
    const status = registry.decode(data, 0, data.length);
    if (status !== (isValid ? DECODE_OK : DECODE_BAD_BODY)) return `decode says ${status}`;
    return null;
  }

  private keep(bytes: Uint8Array): void {
    if (this.list.length >= POOL_MAX) return;
    const shape = shapeOf(this.type.read(bytes, 0, bytes.length), bytes);
    if (this.pool.has(shape)) return;
    this.pool.set(shape, bytes);
    this.list.push(bytes);
  }
}

/** What is there and how it lies, without the numbers. */
function shapeOf(value: unknown, bytes: Uint8Array): string {
  const skeleton = JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'number' ? 0 : typeof item === 'string' ? item.length : item,
  );
  const root = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return `${root & ~15} ${bytes.length >> 4} ${skeleton}`;
}
