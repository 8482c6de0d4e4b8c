/** The command as it is called; what it plays has tests of its own. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

function call(argument: string): Promise<{ code: unknown; out: string; err: string }> {
  return new Promise((resolve) => {
    const args = [...process.execArgv, MAIN, argument];
    execFile(process.execPath, args, { timeout: 60_000 }, (error, out, err) => {
      resolve({ code: error?.code ?? 0, out, err });
    });
  });
}

t.test('sdk-compat tells what it takes, and refuses what it does not know', async (t) => {
  t.match(await call('--help'), { code: 0, out: /^Usage: sdk-compat.*--launch.*--update/s });
  const refused = await call('--updaet');
  t.match(refused, { code: 1, err: /unknown option '--updaet'/ });
  t.notMatch(refused.out, /\| program \|/);
});
