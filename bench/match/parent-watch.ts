import { readFileSync } from 'node:fs';

const CHECK_MS = 500;

/**
 * Calls `onGone` once when whoever started this process is gone. npm passes no signal on, and the
 * shell that npm puts in between outlives it: so the parent's parent is watched too under npm.
 * The timer keeps no process alive. Returns the function that stops watching.
 */
export function watchParent(onGone: () => void): () => void {
  const parent = process.ppid;
  const isUnderNpm = process.env.npm_lifecycle_event !== undefined;
  const grandparent = isUnderNpm ? parentOf(parent) : null;
  const timer = setInterval(() => {
    const isHere = process.ppid === parent;
    if (isHere && (grandparent === null || parentOf(parent) === grandparent)) return;
    clearInterval(timer);
    onGone();
  }, CHECK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Null where there is no /proc: then only the parent itself is watched. */
function parentOf(pid: number): number | null {
  try {
    // The name in parentheses may hold spaces and parentheses: count from the last one (proc(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}
