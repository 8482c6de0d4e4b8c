import type { CallOptions, Transport } from '../http/transport.js';
import { type Session, sessionOfWire } from './session.js';

/** What a client lends to whoever logs in for it. */
export interface AuthContext extends CallOptions {
  transport: Transport;
  apiKey: string;
}

/** A way to get a session. `client.login(authenticator)` runs it. */
export interface Authenticator {
  /** @throws GGScaleError refused; RequestError no usable answer */
  authenticate(context: AuthContext): Promise<Session>;
}

/** One of the `POST /v1/auth/…` that answer with a session. */
export async function askSession(
  context: AuthContext,
  operationId: string,
  path: string,
  body?: object,
): Promise<Session> {
  const { transport, apiKey, ...options } = context;
  const request = { operationId, method: 'POST', path, apiKey };
  const answer = await transport.call(body === undefined ? request : { ...request, body }, options);
  return sessionOfWire(answer);
}
