/** Private keys: 32 bytes, written as 64 hex digits. They come from a file or the environment. */
import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { type Io, UsageError } from './io.js';

const KEY_BYTES = 32;
export const KEY_VARIABLE = 'GGSCALE_PRIVATE_KEY';

/** @throws UsageError the file exists, or cannot be written */
export function keygen(file: string | null, io: Io): void {
  const text = `${randomBytes(KEY_BYTES).toString('hex')}\n`;
  if (file === null) {
    io.out(text);
    return;
  }
  try {
    // An existing key is never overwritten, and nobody else can read the new one at any moment.
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${whyOf(error)}`);
  }
  io.err(`wrote ${file}; give the same key to the server (udp.privateKey) and the backend\n`);
}

/** @throws UsageError */
export function readKey(file: string | undefined, io: Io): Uint8Array {
  if (file === undefined) {
    const text = io.env[KEY_VARIABLE] ?? '';
    if (text !== '') return parseKey(text, KEY_VARIABLE);
    throw new UsageError(`no key: use --key-file or ${KEY_VARIABLE}; keygen makes one`);
  }
  const { text, isPrivate } = readKeyFile(file);
  const key = parseKey(text.trim(), file);
  if (!isPrivate) io.err(`warning: others can read ${file}; chmod 600 is for keys\n`);
  return key;
}

function parseKey(text: string, source: string): Uint8Array {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  throw new UsageError(`${source} does not hold 64 hex digits`);
}

function readKeyFile(file: string): { text: string; isPrivate: boolean } {
  let handle: number | undefined;
  try {
    handle = openSync(file, 'r');
    const isPrivate = (fstatSync(handle).mode & 0o077) === 0;
    return { text: readFileSync(handle, 'utf8'), isPrivate };
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${whyOf(error)}`);
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

function whyOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EEXIST':
      return 'it exists';
    case 'ENOENT':
      return 'no such file or folder';
    case 'EACCES':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a folder';
    default:
      return (error as Error).message;
  }
}
