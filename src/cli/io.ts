/** What a command sees of the world; tests give their own. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
}

/** What was asked for makes no sense: one line on stderr, exit code 2. Never repeats a secret. */
export class UsageError extends Error {}
