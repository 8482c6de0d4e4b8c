/**
 * What a program saw, in lanes: within a lane the order counts, between lanes it does not, as
 * between channels. Runs in browsers too.
 */
export type Log = (lane: string, ...what: unknown[]) => void;

/** Entries by lane; each is JSON text in which no two different values look alike. */
export type Transcript = Record<string, string[]>;

export class Recorder {
  readonly lanes: Transcript = {};

  readonly log: Log = (lane, ...what) => {
    this.lanes[lane] ??= [];
    this.lanes[lane].push(textOf(what));
  };
}

/** JSON that also tells apart what JSON does not: NaN, -0, undefined, bigint, bytes. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, part) => {
    if (typeof part === 'number' && (!Number.isFinite(part) || Object.is(part, -0))) {
      return { $number: Object.is(part, -0) ? '-0' : String(part) };
    }
    if (part === undefined) return { $undefined: true };
    if (typeof part === 'bigint') return { $bigint: String(part) };
    if (part instanceof Uint8Array) return { $bytes: [...part] };
    return part;
  });
}

/** What a call came to: its result, or everything about its error that a program may look at. */
export async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return { result: await call() };
  } catch (error) {
    if (!(error instanceof Error)) return { thrown: error };
    const { name, message, ...fields } = error as Error & Record<string, unknown>;
    const { code, status, kind, closeCode, reason, path, retryAfter, details } = fields;
    return {
      error: name,
      class: error.constructor.name,
      message: message.replace(/127\.0\.0\.1:\d+|10\.\d+\.\d+\.\d+:\d+/g, 'ADDRESS'),
      ...{ code, status, kind, closeCode, reason, path, retryAfter, details },
    };
  }
}
