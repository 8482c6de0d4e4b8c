// How npm is started from a script: the one that runs it, else the one beside this Node, else PATH's.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The program and its first arguments. Another package manager names itself in npm_execpath too. */
export function npmCommand() {
  const running = process.env.npm_execpath;
  if (running && /npm-cli\.c?js$/.test(running)) return [process.execPath, running];
  const beside = join(dirname(process.execPath), 'npm');
  return existsSync(beside) ? [beside] : ['npm'];
}
