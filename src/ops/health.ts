/** The launch convention of `GET /v1/healthz`. */

/** Value of `X-API-Version`. */
export const API_VERSION = 'v1';

/** The commit that was built, where the deployment says it; '' otherwise. */
export function commit(): string {
  return process.env.GGSCALE_COMMIT ?? '';
}

export interface Health {
  /** Alive in both cases: whoever restarts servers by this must let them drain. */
  status: 'ok' | 'draining';
  version: string;
  commit: string;
}

export function health(isDraining: boolean): Health {
  return { status: isDraining ? 'draining' : 'ok', version: API_VERSION, commit: commit() };
}
