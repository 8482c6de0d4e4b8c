/**
 * What stands before a game server on the web: serves the page's files and passes `/v1/` on, tickets
 * and WebSockets. In production nginx or Caddy does this, with TLS.
 */
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export interface PageFile {
  contentType: string;
  body: string | Uint8Array;
}

export class Front {
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #gamePort: number;
  readonly #server: Server;

  private constructor(files: ReadonlyMap<string, PageFile>, gamePort: number) {
    this.#files = files;
    this.#gamePort = gamePort;
    this.#server = createServer((asked, response) => {
      const path = (asked.url ?? '/').split('?')[0];
      const file = this.#files.get(path);
      if (file !== undefined) {
        response.writeHead(200, { 'Content-Type': file.contentType, 'Cache-Control': 'no-cache' });
        response.end(file.body);
        return;
      }
      if (!path.startsWith('/v1/')) {
        response.writeHead(404).end();
        return;
      }
      const { method, url, headers } = asked;
      // A connection of its own each, as each page's would be.
      const target = { host: '127.0.0.1', port: this.#gamePort, agent: false };
      const passed = request({ ...target, method, path: url, headers });
      passed.on('error', () => response.destroy());
      passed.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      asked.pipe(passed);
    });
    this.#server.on('upgrade', (asked, near) => this.#upgrade(asked, near));
  }

  /**
   * Listens on loopback.
   *
   * @param files by path, `/` among them
   * @param port 0: any free one
   * @throws Error with `code` EADDRINUSE …
   */
  static async open(
    files: ReadonlyMap<string, PageFile>,
    gamePort: number,
    port = 0,
  ): Promise<Front> {
    const front = new Front(files, gamePort);
    await new Promise<void>((resolve, reject) => {
      front.#server.once('error', reject);
      front.#server.listen(port, '127.0.0.1', resolve);
    });
    return front;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #upgrade({ method, url, rawHeaders }: IncomingMessage, near: Duplex): void {
    const far = connect(this.#gamePort, '127.0.0.1', () => {
      const lines = [`${method} ${url} HTTP/1.1`];
      for (let i = 0; i < rawHeaders.length; i += 2) {
        lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
      }
      far.write(`${lines.join('\r\n')}\r\n\r\n`);
      near.pipe(far);
      far.pipe(near);
    });
    near.on('error', () => {});
    far.on('error', () => {});
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }
}
