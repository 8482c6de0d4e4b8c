/**
 * Structured logs: one JSON object a line on standard output, written without waiting for it.
 * Nothing in this package logs a token, ticket, secret or key.
 */
import { type DestinationStream, pino } from 'pino';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Log sink with pino's order of arguments. What is left out is not told. */
export interface Logger {
  debug?(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A slow reader must not hold up the game: what waits is written in the background, or at the exit. */
let standardOutput: DestinationStream | null = null;

export function createLogger(level: LogLevel): Logger {
  const options = {
    level,
    base: { name: 'ggscale-transport' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  standardOutput ??= pino.destination({ dest: 1, sync: false });
  return pino(options, standardOutput);
}

/** Stack or text of what was thrown, without `secret`, which a hook of the program may have put in. */
export function errorText(error: unknown, secret = ''): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : textOf(error);
  return secret === '' ? text : text.replaceAll(secret, '[redacted]');
}

/** Anything may be thrown, also what has no text. */
function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'an object without a text';
  }
}
