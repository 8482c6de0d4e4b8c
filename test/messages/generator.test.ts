import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
// @ts-expect-error plain JavaScript without types
import { BODY_BYTES_MAX as GENERATOR_LIMIT } from '../../scripts/generate/model.mjs';
// @ts-expect-error plain JavaScript without types
import * as generator from '../../scripts/generate.mjs';
import { BODY_BYTES_MAX } from '../../src/messages/index.js';

const { checkTarget, generate, modelOf, readSources, TARGETS, writeTarget } = generator;
const run = promisify(execFile);
const script = fileURLToPath(new URL('../../scripts/generate.mjs', import.meta.url));
const HEAD = ['message_id', 'mode', 'channel', 'min', 'max']
  .map((name) => `attribute "${name}";`)
  .join('\n');

const sourcesOf = (text: string): Map<string, string> => new Map([['x.fbs', `${HEAD}\n${text}`]]);

async function hashOf(text: string): Promise<number> {
  const { messages } = (await modelOf(sourcesOf(text))) as { messages: { hash: number }[] };
  return messages[0].hash;
}

t.test('the committed files are what the schemas generate', async (t) => {
  const { stdout } = await run(process.execPath, [script, '--check']);
  t.match(stdout, /src\/messages\/generated is fresh/);
  t.match(stdout, /test\/messages\/generated is fresh/);
  t.equal(GENERATOR_LIMIT, BODY_BYTES_MAX);
});

t.test('a changed, a missing and a left-over file are stale', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'generate-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const target = { schemas: directory, out: directory, codec: 'somewhere' };
  writeFileSync(join(directory, 'a.fbs'), `${HEAD}\ntable A (message_id: 32) { x:int; }`);
  writeFileSync(join(directory, 'hand-written.ts'), 'export {};\n');
  t.strictSame(await checkTarget(target), [
    'missing: a.ts',
    'missing: index.ts',
    'missing: flatc/a.ts',
  ]);
  await writeTarget(target);
  t.strictSame(await checkTarget(target), [], 'fresh, and the hand-written file is left alone');
  const index = readFileSync(join(directory, 'index.ts'), 'utf8');
  writeFileSync(join(directory, 'index.ts'), `${index}// changed`);
  t.strictSame(await checkTarget(target), ['changed: index.ts']);
  writeFileSync(join(directory, 'a.fbs'), `${HEAD}\ntable B (message_id: 32) { x:int; }`);
  await writeTarget(target);
  t.notOk(existsSync(join(directory, 'a.ts')), 'what no schema makes any more is removed');
  t.ok(existsSync(join(directory, 'hand-written.ts')));
  writeFileSync(join(directory, 'a.fbs'), `${HEAD}\ntable C (message_id: 32) { x:int; }`);
  t.match(await checkTarget(target), ['missing: c.ts', 'changed: index.ts', 'missing: flatc/c.ts']);
  const args = [script, '--schemas', directory, '--out', directory, '--codec', 'somewhere'];
  const failure = run(process.execPath, [...args, '--check']);
  await t.rejects(failure, { code: 1, stderr: /left over: b\.ts/ }, 'and the command fails');
});

t.test('two runs give the same text', async (t) => {
  const sources = readSources(TARGETS[1].schemas) as Map<string, string>;
  const [first, second] = [await generate(sources, 'x'), await generate(sources, 'x')];
  t.strictSame([...first], [...second]);
});

t.test('what is not supported is refused with the field and the reason', async (t) => {
  const cases: [string, RegExp][] = [
    ['table A { x:long; }', /A\.x: 64-bit integers are not supported/],
    ['table A { x:[ulong]; }', /A\.x: 64-bit integers are not supported/],
    ['struct S { x:ulong; } table A { s:S; }', /S\.x: 64-bit integers are not supported/],
    ['enum E:long { X } table A { x:E; }', /enum E: 64-bit enums are not supported/],
    ['table B {} union U { B } table A { u:U; }', /A\.u(_type)?: unions are not supported/],
    ['struct S { x:[int:3]; } table A { s:S; }', /S\.x: fixed-length arrays are not supported/],
    ['table A { s:string = "x"; }', /A\.s: string defaults are not supported/],
    ['table A { x:float = nan; }', /A\.x: NaN and Infinity are not values/],
    ['table A { x:uint8 (max: 256); }', /A\.x: max 256 is outside u8/],
    ['table A { x:uint8 (min: 3, max: 2); }', /A\.x: min is over max/],
    ['table A { x:uint8 (min: 1); }', /A\.x: its default 0 is outside 1…255/],
    ['table A { x:bool (max: 1); }', /A\.x: min and max do not apply/],
    ['table A { x:string (max: "many"); }', /A\.x: attribute max is not a number/],
    ['table A { constructor:int; }', /A\.constructor: the name constructor belongs to every/],
    ['table A { a_b:int; aB:int; }', /two fields would be called aB/],
    ['table A (message_id: 31) {}', /table A: message_id must be an integer 32…16383/],
    ['table A (message_id: 16384) {}', /table A: message_id must be an integer/],
    ['table A (message_id: 32, channel: 31) {}', /table A: channel must be an integer 0…30/],
    ['table A (message_id: 32, mode: "fast") {}', /table A: mode must be one of unreliable, /],
    ['table A (message_id: 32) {} table B (message_id: 32) {}', /B: message_id 32 is also A/],
    ['namespace a; table T {} namespace b; table T {}', /has the short name of/],
    ['table A { x: }', /x\.fbs:6: \d+: error/],
  ];
  for (const [text, message] of cases) await t.rejects(modelOf(sourcesOf(text)), { message }, text);
  await t.rejects(modelOf(new Map()), { message: /no \.fbs files/ });
});

t.test('the type hash follows everything that changes the wire', async (t) => {
  const base = 'struct S { a:int; } table A (message_id: 32) { x:int; s:S; }';
  const same = 'struct S { a:int; }\n/// Said.\ntable A (message_id: 32) { x:int; s:S; }';
  const others = [
    base.replace('32', '33'),
    base.replace('32', '32, mode: "unreliable"'),
    base.replace('32', '32, channel: 1'),
    base.replace('x:int', 'x:uint'),
    base.replace('x:int', 'y:int'),
    base.replace('x:int', 'x:int = 1'),
    base.replace('x:int', 'x:int = null'),
    base.replace('x:int', 'x:int (max: 5)'),
    base.replace('a:int', 'a:uint'),
    base.replace('s:S', 's:S (required)'),
    base.replace('x:int; s:S;', 's:S; x:int;'),
  ];
  const hashes = await Promise.all([base, ...others].map(hashOf));
  t.equal(new Set(hashes).size, hashes.length);
  t.equal(await hashOf(same), hashes[0], 'a comment does not');
});
