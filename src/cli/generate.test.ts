import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run } from './run.js';

const SCHEMA = `namespace mine;
attribute "message_id"; attribute "mode"; attribute "channel"; attribute "min"; attribute "max";
table Move (message_id: 40, mode: "unreliable-sequenced", channel: 1) { tick:uint32; x:float; }
`;

async function call(args: string[]): Promise<{ code: number; out: string; err: string }> {
  const outcome = { code: 0, out: '', err: '' };
  outcome.code = await run(args, {
    env: {},
    out: (text) => {
      outcome.out += text;
    },
    err: (text) => {
      outcome.err += text;
    },
  });
  return outcome;
}

function project(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'generate-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'schemas'));
  return folder;
}

t.test("generate makes a game's own messages, and --check notices a changed schema", async (t) => {
  const folder = project(t);
  const [schemas, out] = [join(folder, 'schemas'), join(folder, 'messages')];
  writeFileSync(join(schemas, 'mine.fbs'), SCHEMA);
  t.match(await call(['generate', schemas, '--out', out]), { code: 0, out: /2 files written/ });
  t.match(readFileSync(join(out, 'move.ts'), 'utf8'), "from '@ggscale/transport/messages/codec'");
  t.notOk(existsSync(join(out, 'flatc')), 'nothing that needs another package');
  t.match(await call(['generate', schemas, '--out', out, '--check']), { code: 0, out: /is fresh/ });
  writeFileSync(join(schemas, 'mine.fbs'), SCHEMA.replace('x:float', 'x:double'));
  const stale = await call(['generate', schemas, '--out', out, '--check']);
  t.match(stale, { code: 1, out: /is stale/, err: /changed: move\.ts/ });
});

t.test('generate overwrites and removes nothing but what it made itself', async (t) => {
  const folder = project(t);
  const [schemas, out] = [join(folder, 'schemas'), join(folder, 'messages')];
  writeFileSync(join(schemas, 'mine.fbs'), SCHEMA);
  t.match(await call(['generate', schemas, '--out', join(out, 'other')]), { code: 0 });
  t.match(await call(['generate', schemas, '--out', out]), { code: 0 });
  t.ok(existsSync(join(out, 'other', 'move.ts')), 'another run, in a folder within');
  writeFileSync(join(out, 'index.ts'), 'export const mine = 1;\n');
  writeFileSync(join(schemas, 'mine.fbs'), SCHEMA.replace('table Move', 'table Walk'));
  const refused = await call(['generate', schemas, '--out', out]);
  t.match(refused, { code: 2, err: /index\.ts is not a generated file and would be lost/ });
  t.equal(readFileSync(join(out, 'index.ts'), 'utf8'), 'export const mine = 1;\n');
  t.ok(existsSync(join(out, 'move.ts')), 'nothing is done by halves');
});

t.test('generate says what is wrong', async (t) => {
  const folder = project(t);
  const schemas = join(folder, 'schemas');
  t.match(await call(['generate', join(folder, 'nowhere')]), {
    code: 2,
    err: /nowhere is no folder; give the one that holds your \.fbs files/,
  });
  t.match(await call(['generate', schemas]), { code: 2, err: /no \.fbs files/ });
  writeFileSync(join(schemas, 'bad.fbs'), SCHEMA.replace('x:float', 'x:int64'));
  t.match(await call(['generate', schemas]), { code: 2, err: /Move\.x|int64|64/ });
  writeFileSync(join(schemas, 'bad.fbs'), 'table {');
  t.match(await call(['generate', schemas]), { code: 2, err: /bad\.fbs/ });
});
