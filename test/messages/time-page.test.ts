/** The programs of docs/TIME.md compile against what the package exports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What the page's reader has beside the program. */
const MESSAGES = `
import { createRegistry } from '@ggscale/transport';
import { Snapshot, type SnapshotValue } from '@ggscale/transport/messages';
export type Messages = {
  Snapshot: SnapshotValue;
  Move: { tick: number; left: boolean };
};
export const registry = createRegistry({ Snapshot });
declare global {
  const apiKey: string;
  const baseUrl: string;
  type SnapshotValue = import('@ggscale/transport/messages').SnapshotValue;
  function draw(from: SnapshotValue, to: SnapshotValue, blend: number): void;
  function readControls(): { left: boolean };
  function keepForTick(player: string, tick: number, move: unknown): void;
  function simulate(tick: number): SnapshotValue;
}
`;

function programs(page: string): string[] {
  return [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) => text);
}

/** Diagnostics of the texts as modules beside each other. */
function check(directory: string, texts: readonly string[]): string[] {
  const names = texts.map((_, index) => join(directory, `program-${index}.ts`));
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
    paths: {
      '@ggscale/transport': [join(ROOT, 'src/index.ts')],
      '@ggscale/transport/server': [join(ROOT, 'src/server/index.ts')],
      '@ggscale/transport/messages': [join(ROOT, 'src/messages/generated/index.ts')],
    },
  };
  const program = ts.createProgram(names, options);
  const found = names.flatMap((name) => [
    ...program.getSyntacticDiagnostics(program.getSourceFile(name)),
    ...program.getSemanticDiagnostics(program.getSourceFile(name)),
  ]);
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

t.test('the programs of docs/TIME.md compile', async (t) => {
  const texts = programs(readFileSync(join(ROOT, 'docs/TIME.md'), 'utf8'));
  t.equal(texts.length, 2);
  const files: Record<string, string> = { 'messages.ts': MESSAGES };
  for (const [index, text] of texts.entries()) files[`program-${index}.ts`] = text;
  const wrong = texts[0].replace('tickToSend', 'tickToSent');
  files['program-2.ts'] = wrong;
  const directory = t.testdir(files);
  t.same(check(directory, texts), []);
  t.match(
    check(directory, [...texts, wrong]).join(),
    /tickToSent/,
    'and one that is wrong does not',
  );
});
