/** Everything that `npm run fuzz` can fuzz. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runHttp } from './http/campaign.js';
import { type FlatEntry, runFlat, smallest } from './messages/campaign.js';
import { buildFuzzer, type Mode, packageRoot } from './native/build.js';
import { minimiseCorpus, nativeTargets, runTarget } from './native/libfuzzer.js';

export interface Outcome {
  inputs: number;
  /** What was found, with how to see it again; null: nothing. */
  finding: string | null;
  /** What else is worth knowing. */
  notes: string;
}

export interface TargetOptions {
  seconds: number;
  seed: number;
  mode: Mode;
  /** Native targets: with the planted fault on. */
  planted: boolean;
}

export interface FuzzTarget {
  name: string;
  about: string;
  run(options: TargetOptions): Promise<Outcome>;
  /** Makes the committed corpus anew; says what there is now. */
  minimise(options: TargetOptions): Promise<string>;
}

const ABOUT: Readonly<Record<string, string>> = {
  token: 'connect tokens, public and private part, behind the AEAD',
  packet: 'headers, seals and replay windows of packets',
  control: 'control TLVs of NX, against a second reader',
  cmsg: 'control messages of the kernel, and trains of datagrams',
  rl1: 'RL1 as the Rust receiver takes it; its corpus is played to src/protocol too',
  server: 'a server among hostile clients: handshakes, NX, forgeries, replays, roaming',
};
const SHAPES_PER_TYPE = 16;

const program = new Map<Mode, Promise<string>>();

function fuzzer(mode: Mode): Promise<string> {
  const built = program.get(mode) ?? buildFuzzer(mode);
  program.set(mode, built);
  return built;
}

function native(name: string): FuzzTarget {
  return {
    name,
    about: ABOUT[name] ?? '',
    async run({ mode, planted, seconds, seed }) {
      const path = await fuzzer(mode);
      const run = await runTarget(path, name, { seconds, seed, planted, keep: !planted });
      const { inputs, finding } = run;
      const text = finding && `input ${finding.hex}\n${finding.report}`;
      return { inputs, finding: text, notes: mode === 'asan' ? 'AddressSanitizer' : '' };
    },
    async minimise() {
      return `${await minimiseCorpus(await fuzzer('plain'), name)} inputs`;
    },
  };
}

const messages: FuzzTarget = {
  name: 'messages',
  about: 'FlatBuffers of every schema: verified ones are read alike by every accessor',
  async run({ seconds, seed }) {
    const corpus = readJson('messages') as FlatEntry[];
    const campaign = await runFlat({ seed, corpus, isOver: timer(seconds) });
    const { finding, inputs, pool, valid } = campaign;
    const notes = `${valid} damaged and valid all the same, ${pool.length} shapes`;
    return { inputs, finding: finding && JSON.stringify(finding), notes };
  },
  async minimise({ seconds, seed }) {
    const { pool } = await runFlat({ seed, isOver: timer(seconds) });
    const corpus = smallest(pool, SHAPES_PER_TYPE);
    writeJson('messages', corpus);
    return `${corpus.length} messages`;
  },
};

const http: FuzzTarget = {
  name: 'http',
  about: 'the ticket endpoint of a real server over loopback, in TCP',
  async run({ seconds, seed }) {
    const corpus = readJson('http') as number[];
    const campaign = await runHttp({ firstSeed: seed, corpus, isOver: timer(seconds) });
    const { finding, inputs, met } = campaign;
    const statuses = [...met].sort(([a], [b]) => a - b);
    const notes = statuses.map(([status, count]) => `${count} × ${status || 'none'}`).join(', ');
    return { inputs, finding: finding && JSON.stringify(finding), notes };
  },
  async minimise({ seconds, seed }) {
    const { seeds } = await runHttp({ firstSeed: seed, isOver: timer(seconds) });
    const corpus = [...new Set(seeds.values())].sort((a, b) => a - b);
    writeJson('http', corpus);
    return `${corpus.length} seeds`;
  },
};

/** All but the comparison of the two receivers of RL1, which has options of its own. */
export function fuzzTargets(): FuzzTarget[] {
  return [...nativeTargets().map(({ name }) => native(name)), messages, http];
}

function timer(seconds: number): () => boolean {
  const endMs = performance.now() + seconds * 1000;
  return () => performance.now() >= endMs;
}

function corpusFile(target: string): string {
  return join(packageRoot, 'test/fuzz', target, 'corpus.json');
}

function readJson(target: string): unknown {
  return JSON.parse(readFileSync(corpusFile(target), 'utf8'));
}

/** An entry a line, so that changes can be read. */
function writeJson(target: string, entries: readonly unknown[]): void {
  mkdirSync(join(packageRoot, 'test/fuzz', target), { recursive: true });
  const lines = entries.map((entry) => `  ${JSON.stringify(entry)}`).join(',\n');
  writeFileSync(corpusFile(target), `[\n${lines}\n]\n`);
}
