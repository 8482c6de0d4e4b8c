/** The first two points of what must hold, in processes of their own. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { PROGRAMS } from '../../sdk-compat/programs/index.js';
import { listen } from '../game/support.js';
import { runProgram } from './run-program.js';

const answer = { type: 'echo', value: { text: 'hello' } };
const isLinux = process.platform === 'linux';

t.test('1. Without the option: no native addon is loaded, no UDP socket is opened', async (t) => {
  const server = await listen();
  t.teardown(() => server.close());
  server.on('echo', (player, value) => void player.send('echo', value));
  const address = `http://${server.http.host}:${server.http.port}`;
  const off = await runProgram(address, '');
  t.match(off, { wire: 'json-ws', answer, events: [], hasAddon: false, udpHandles: 0 });
  t.equal(off.udpSockets, isLinux ? 0 : null);
  // With it there are both: the questions are the right ones.
  const on = await runProgram(address, 'udp');
  t.match(on, { wire: 'udp', answer, events: [], hasAddon: true });
  if (isLinux) t.equal(on.udpSockets, 1);
});

t.test('2. One unmodified program: sdk-compat plays each with the option off and on', async (t) => {
  const folder = fileURLToPath(new URL('../../sdk-compat/programs/', import.meta.url));
  const files = readdirSync(folder).filter((file) => file !== 'index.ts');
  t.same(
    files.map((file) => file.replace(/\.ts$/, '')).sort(),
    Object.keys(PROGRAMS).sort(),
    'none is left out',
  );
  for (const file of files) {
    const text = readFileSync(`${folder}${file}`, 'utf8');
    t.notMatch(text, /WithHighPerformanceTransport|\.wire\b/, `${file} asks for no wire`);
    const imports = [...text.matchAll(/from '(.*)'/g)].map(([, path]) => path);
    const known = ['../../src/index.js', '../messages.js', '../transcript.js'];
    t.same(
      imports.filter((path) => !known.includes(path)),
      [],
      `${file}: public entries only`,
    );
    t.ok(text.split('\n').length <= 80, `${file} is short`);
  }
});
