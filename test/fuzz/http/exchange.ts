/** One attempt over a connection of its own, and what came back. */
import { connect } from 'node:net';
import type { Attempt } from './request.js';

export interface Answer {
  /** Of the first answer; 0: none came. */
  status: number;
  /** All that came. */
  text: string;
  /** The server left the connection open, and nothing more was said. */
  isOpen: boolean;
}

/** How long a connection may be silent once everything is written: what is unfinished has no answer. */
const SILENCE_MS = 250;
/** The same where an answer is due, on a machine however busy. */
const PATIENCE_MS = 20_000;

export function exchange(port: number, attempt: Attempt): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    let isOpen = false;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {}); // told by 'close': the server may hang up while we still write
    socket.on('close', () => resolve(answerOf(chunks, isOpen)));
    socket.on('connect', () => void write(attempt));
    const write = async ({ pieces, leaves }: Attempt) => {
      for (const [index, piece] of pieces.entries()) {
        if (socket.destroyed || !socket.writable) return;
        if (leaves === 'reset' && index > 0) return void socket.resetAndDestroy();
        socket.write(piece);
        // A turn in between, so that the pieces arrive as such.
        await new Promise((next) => setImmediate(next));
      }
      if (leaves === 'after') socket.end();
      if (leaves === 'reset') socket.resetAndDestroy();
      socket.setTimeout(attempt.expected === null ? SILENCE_MS : PATIENCE_MS, () => {
        isOpen = true;
        socket.destroy();
      });
    };
  });
}

function answerOf(chunks: Buffer[], isOpen: boolean): Answer {
  const text = Buffer.concat(chunks).toString('latin1');
  // An interim answer is none.
  const final = text.replace(/^HTTP\/1\.1 1\d\d [^\r]*\r\n\r\n/, '');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(final)?.[1] ?? 0);
  return { status, text: final, isOpen };
}
