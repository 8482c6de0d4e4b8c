// A lock file with an owner who can be asked: it names a process (and the child that works for it) by
// pid and start time, so a lock whose processes are gone is stale whatever its age, and a reused pid
// does not keep it alive.
//
// Invariant: the lock file is created only by an exclusive open and removed only by its owner or, when
// stale, by the one process that holds `<file>.break` and has read it again under that.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 100;

/**
 * Waits until this process holds `file`. `onWait(pid)` is called once if somebody else holds it.
 * Resolves to { setChild(pid | null), release() }.
 */
export async function acquireLock(file, onWait = () => {}) {
  mkdirSync(dirname(file), { recursive: true });
  const owner = { ...describe(process.pid), child: null };
  let announced = false;
  while (!createExclusive(file, owner)) {
    const holder = readHolder(file);
    if (holder !== undefined && !isHeld(holder)) {
      breakStale(file);
      continue;
    }
    if (!announced && holder) onWait(holder.pid);
    announced = true;
    await sleep(pollMs);
  }
  return {
    setChild(pid) {
      owner.child = pid === null ? null : describe(pid);
      writeFileSync(file, JSON.stringify(owner));
    },
    release() {
      if (readHolder(file)?.pid === process.pid) rmSync(file, { force: true });
    },
  };
}

/** A process as the lock names it; `start` (Linux: clock ticks since boot) tells reused pids apart. */
function describe(pid) {
  return { pid, start: processState(pid)?.start ?? null };
}

function isHeld(holder) {
  return isAlive(holder) || (holder?.child != null && isAlive(holder.child));
}

function isAlive(named) {
  if (!named || !Number.isInteger(named.pid) || named.pid <= 0) return false;
  try {
    process.kill(named.pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  const state = processState(named.pid);
  if (state === null) return process.platform !== 'linux';
  return state.letter !== 'Z' && (named.start === null || named.start === state.start);
}

/** From /proc/<pid>/stat (proc(5)): field 3 is the state, field 22 the start time. */
function processState(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { letter: fields[0], start: fields[19] };
  } catch {
    return null;
  }
}

function createExclusive(file, owner) {
  let handle;
  try {
    handle = openSync(file, 'wx');
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeFileSync(handle, JSON.stringify(owner));
  } finally {
    closeSync(handle);
  }
  return true;
}

/** The holder; undefined when the file is gone; null (so: stale) when it stays unreadable. */
function readHolder(file) {
  // Between creation and the first write the file is empty for some microseconds.
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      if (error.code === 'ENOENT') return undefined;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  return null;
}

function breakStale(file) {
  const breaker = `${file}.break`;
  if (!createExclusive(breaker, describe(process.pid))) {
    // Somebody else is at it; if it died there, clear its mark and let the next round try again.
    const other = readHolder(breaker);
    if (other !== undefined && !isHeld(other)) rmSync(breaker, { force: true });
    return;
  }
  try {
    const holder = readHolder(file);
    if (holder !== undefined && !isHeld(holder)) rmSync(file, { force: true });
  } finally {
    rmSync(breaker, { force: true });
  }
}
