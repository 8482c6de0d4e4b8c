/** The launch convention of `GET /v1/healthz`. */

/** Value of `X-API-Version`. */
export const API_VERSION = 'v1';

/** The commit that was built, where the deployment says it; '' otherwise. */
export function commit(): string {
  return process.env.GGSCALE_COMMIT ?? '';
}

export function health(): { status: 'ok'; version: string; commit: string } {
  return { status: 'ok', version: API_VERSION, commit: commit() };
}
