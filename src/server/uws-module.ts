/**
 * uWebSockets.js, an optional peer: the part of its interface that is used here (v20), and how it is
 * loaded. It is native code and is not on npm, so nothing depends on it.
 */
import { errorText } from '../ops/index.js';
import { TransportError } from '../util/errors.js';

/** Not a literal in the import: neither the compiler nor a bundler shall look for it. */
const PACKAGE: string = 'uWebSockets.js';

/** Valid during the call it came with. */
export interface UwsRequest {
  /** In lower case. */
  getMethod(): string;
  getUrl(): string;
  /** Without `?`; empty or undefined where there is none. */
  getQuery(): string | undefined;
  /** Empty where there is none; of several, the first. */
  getHeader(lowerCaseName: string): string;
  forEach(visit: (lowerCaseName: string, value: string) => void): void;
}

/** Valid until it was answered or aborted. */
export interface UwsResponse {
  /** 4 or 16 bytes. */
  getRemoteAddress(): ArrayBuffer;
  onAborted(handler: () => void): UwsResponse;
  /** `chunk` is valid during the call. */
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): UwsResponse;
  cork(write: () => void): UwsResponse;
  writeStatus(status: string): UwsResponse;
  writeHeader(name: string, value: string): UwsResponse;
  end(body: string, closeConnection: boolean): UwsResponse;
  endWithoutBody(reportedLength: number, closeConnection: boolean): UwsResponse;
  upgrade<D extends object>(
    userData: D,
    key: string,
    protocol: string,
    extensions: string,
    context: unknown,
  ): void;
}

/** Throws at each call once its `close` handler has been called. */
export interface UwsWebSocket<D> {
  getUserData(): D;
  getRemoteAddress(): ArrayBuffer;
  /** Since v20.53. */
  getRemotePort?(): number;
  getBufferedAmount(): number;
  /** 1 sent, 0 waits in part, 2 dropped: beyond `maxBackpressure`. */
  send(message: Uint8Array, isBinary: boolean, compress: boolean): number;
  ping(): number;
  /** Says goodbye; calls the `close` handler at once. */
  end(code: number, reason: string): void;
  /** Cuts; calls the `close` handler at once. */
  close(): void;
}

export interface UwsBehavior<D> {
  compression: number;
  maxPayloadLength: number;
  maxBackpressure: number;
  /** A number in the package's own types, a boolean by its sense. */
  closeOnBackpressureLimit: number;
  idleTimeout: number;
  sendPingsAutomatically: boolean;
  upgrade(response: UwsResponse, request: UwsRequest, context: unknown): void;
  open(socket: UwsWebSocket<D>): void;
  /** `message` is valid during the call. */
  message(socket: UwsWebSocket<D>, message: ArrayBuffer, isBinary: boolean): void;
  drain(socket: UwsWebSocket<D>): void;
  ping(socket: UwsWebSocket<D>): void;
  pong(socket: UwsWebSocket<D>): void;
  close(socket: UwsWebSocket<D>, code: number, reason: ArrayBuffer): void;
}

export interface UwsApp {
  ws<D>(pattern: string, behavior: UwsBehavior<D>): UwsApp;
  any(pattern: string, handler: (response: UwsResponse, request: UwsRequest) => void): UwsApp;
  /** Calls back at once, with false when it could not. */
  listen(host: string, port: number, options: number, done: (token: unknown) => void): UwsApp;
  close(): UwsApp;
}

export interface UwsModule {
  App(): UwsApp;
  readonly DISABLED: number;
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
  us_socket_local_port(token: unknown): number;
  us_listen_socket_close(token: unknown): void;
}

/** Null when it is not installed. @throws what it throws where it does not run */
export async function findUws(): Promise<UwsModule | null> {
  try {
    const { default: uws } = (await import(PACKAGE)) as { default: UwsModule };
    return uws;
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
}

/** @throws TransportError engine-missing */
export async function loadUws(): Promise<UwsModule> {
  let cause: unknown;
  try {
    const uws = await findUws();
    if (uws !== null) return uws;
  } catch (error) {
    cause = error;
  }
  const why = cause === undefined ? 'is not installed' : `does not load: ${errorText(cause)}`;
  throw new TransportError(
    'engine-missing',
    `ggscale: ws.engine is "uws", and uWebSockets.js ${why}. It is not on npm: ` +
      'npm install uNetworking/uWebSockets.js#v20.52.0 (or newer); or leave ws.engine out',
    { cause },
  );
}

/** The package itself is not there; not something that it needs. Loaders keep the words, not the code. */
function isAbsence(error: unknown): boolean {
  return errorText(error).includes(`Cannot find package '${PACKAGE}'`);
}
