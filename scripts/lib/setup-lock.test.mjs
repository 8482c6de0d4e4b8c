import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { acquireLock } from './setup-lock.mjs';

function lockFile(t) {
  const folder = mkdtempSync(join(tmpdir(), 'ggscale-lock-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'deep', 'lock');
}

function deadPid() {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

async function leaveBehind(file, text) {
  (await acquireLock(file)).release();
  writeFileSync(file, text);
}

t.test('a free lock is taken, names its owner and is gone after release', async (t) => {
  const file = lockFile(t);
  const lock = await acquireLock(file);
  t.equal(JSON.parse(readFileSync(file, 'utf8')).pid, process.pid);
  lock.release();
  t.notOk(existsSync(file));
});

t.test('a lock whose process is dead does not hold anybody up', async (t) => {
  const file = lockFile(t);
  await leaveBehind(file, JSON.stringify({ pid: deadPid(), start: null, child: null }));
  const lock = await acquireLock(file, () => t.fail('waited for a dead process'));
  t.equal(JSON.parse(readFileSync(file, 'utf8')).pid, process.pid);
  lock.release();
});

t.test('a pid that another process has now does not keep a lock', async (t) => {
  if (process.platform !== 'linux') return t.skip('start times are read from /proc');
  const file = lockFile(t);
  await leaveBehind(file, JSON.stringify({ pid: process.ppid, start: '1', child: null }));
  (await acquireLock(file, () => t.fail('waited for a reused pid'))).release();
});

t.test('an unreadable lock and an abandoned break mark are cleared', async (t) => {
  const file = lockFile(t);
  await leaveBehind(file, 'not a lock');
  writeFileSync(`${file}.break`, JSON.stringify({ pid: deadPid(), start: null }));
  (await acquireLock(file)).release();
  t.notOk(existsSync(`${file}.break`));
});

t.test('a dead owner whose child still works holds the lock until the child ends', async (t) => {
  const file = lockFile(t);
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise((done) => child.on('close', done));
  const text = JSON.stringify({
    pid: deadPid(),
    start: null,
    child: { pid: child.pid, start: null },
  });
  await leaveBehind(file, text);
  let waited = false;
  const lock = await acquireLock(file, () => {
    waited = true;
    child.stdin.end();
  });
  await ended;
  t.ok(waited);
  lock.release();
});

t.test('of many processes at a stale lock only one is inside at a time', async (t) => {
  const file = lockFile(t);
  await leaveBehind(file, JSON.stringify({ pid: deadPid(), start: null, child: null }));
  const inside = `${file}.inside`;
  const module = new URL('./setup-lock.mjs', import.meta.url).href;
  const program = `
    import { openSync, rmSync } from 'node:fs';
    import { acquireLock } from ${JSON.stringify(module)};
    for (let round = 0; round < 5; round++) {
      const lock = await acquireLock(${JSON.stringify(file)});
      openSync(${JSON.stringify(inside)}, 'wx');
      await new Promise((done) => setImmediate(done));
      rmSync(${JSON.stringify(inside)});
      lock.release();
    }`;
  const codes = await Promise.all(
    Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: 'inherit',
      });
      return new Promise((done) => child.on('close', done));
    }),
  );
  t.same(codes, [0, 0, 0, 0]);
});
