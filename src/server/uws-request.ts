/** A request of uWebSockets.js, copied: the library's own is gone after the first await. */
import { isIP } from 'node:net';
import { plainAddress } from './addresses.js';
import { BODY_BYTES_MAX, bodyAborted, bodyTooLarge, type HttpRequest } from './http-message.js';
import type { UwsRequest, UwsResponse } from './uws-module.js';

/** So much of a body that is too large is read before its answer; the rest is cut. */
const DISCARD_BYTES_MAX = 16 * BODY_BYTES_MAX;
/** Fields of which node:http keeps the first when they come twice. */
const SINGULAR: ReadonlySet<string> = new Set(['host', 'content-type', 'authorization']);

export class UwsHttpRequest implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly remoteAddress: string;
  readonly localAddress: string;
  isAborted = false;
  /** Resolves when nothing more of the body is waited for. */
  readonly bodyEnd: Promise<void>;
  readonly #headers = new Map<string, string>();
  readonly #chunks: Buffer[] = [];
  #bodyBytes = 0;
  #endBody: () => void = () => {};

  /** `boundHost`: the library does not tell which address a request came to. */
  constructor(response: UwsResponse, request: UwsRequest, boundHost: string) {
    const query = request.getQuery();
    this.method = request.getMethod().toUpperCase();
    this.target = query ? `${request.getUrl()}?${query}` : request.getUrl();
    this.remoteAddress = binaryAddress(response.getRemoteAddress());
    this.localAddress = boundHost;
    this.bodyEnd = new Promise((resolve) => {
      this.#endBody = resolve;
    });
    request.forEach((name, value) => {
      const before = this.#headers.get(name);
      if (before === undefined) this.#headers.set(name, value);
      else if (!SINGULAR.has(name)) this.#headers.set(name, `${before}, ${value}`);
    });
  }

  /** Must be called in the handler's own turn. */
  collectBody(response: UwsResponse): void {
    response.onAborted(() => {
      this.isAborted = true;
      this.#endBody();
    });
    response.onData((chunk, isLast) => {
      this.#bodyBytes += chunk.byteLength;
      if (chunk.byteLength > 0 && this.#bodyBytes <= BODY_BYTES_MAX) {
        this.#chunks.push(Buffer.from(new Uint8Array(chunk)));
      }
      if (isLast || this.#bodyBytes > DISCARD_BYTES_MAX) this.#endBody();
    });
  }

  header(name: string): string | undefined {
    return this.#headers.get(name);
  }

  async readBody(): Promise<Buffer> {
    await this.bodyEnd;
    if (this.#bodyBytes > BODY_BYTES_MAX) throw bodyTooLarge();
    if (this.isAborted) throw bodyAborted();
    return Buffer.concat(this.#chunks);
  }
}

/** The canonical text of an address of 4 or 16 bytes. */
export function binaryAddress(address: ArrayBuffer): string {
  const bytes = new Uint8Array(address);
  if (bytes.length === 4) return bytes.join('.');
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff;
  if (bytes.length === 16 && mapped && bytes[11] === 0xff) return bytes.subarray(12).join('.');
  const groups: string[] = [];
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    groups.push(((bytes[i] << 8) | bytes[i + 1]).toString(16));
  }
  const text = groups.join(':');
  // WHATWG URLs write addresses as RFC 5952 does.
  return isIP(text) === 6 ? new URL(`http://[${text}]`).hostname.slice(1, -1) : plainAddress(text);
}
