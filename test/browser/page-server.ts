/**
 * Serves a page, and passes everything else on to a game server, as a reverse proxy does: page and
 * game are of one origin.
 */
import { once } from 'node:events';
import { request as ask, createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export class PageServer {
  /** Of what stands behind the page, on 127.0.0.1. */
  backPort: number;
  readonly #server: Server;

  private constructor(script: string, backPort: number) {
    this.backPort = backPort;
    this.#server = createServer((request, response) => {
      if (request.url === '/') {
        response.setHeader('Content-Type', 'text/html');
        response.end('<link rel="icon" href="data:,"><script src="/page.js"></script>');
      } else if (request.url === '/page.js') {
        response.setHeader('Content-Type', 'text/javascript');
        response.end(script);
      } else {
        const { method, url, headers } = request;
        const to = { host: '127.0.0.1', port: this.backPort, agent: false }; // a stream of its own
        const back = ask({ ...to, method, path: url, headers });
        back.on('error', () => response.destroy());
        back.on('response', (answer) => {
          response.writeHead(answer.statusCode as number, answer.headers);
          answer.pipe(response);
        });
        request.pipe(back);
      }
    });
    this.#server.on('upgrade', (request: IncomingMessage, near: Duplex) => {
      const far = connect(this.backPort, '127.0.0.1', () => {
        const { rawHeaders } = request;
        const lines = [`${request.method} ${request.url} HTTP/1.1`];
        for (let i = 0; i < rawHeaders.length; i += 2)
          lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
        far.write(`${lines.join('\r\n')}\r\n\r\n`);
        near.pipe(far);
        far.pipe(near);
      });
      for (const [end, other] of [
        [near, far],
        [far, near],
      ]) {
        end.on('error', () => {});
        end.on('close', () => other.destroy());
      }
    });
  }

  /** @param backPort of the game server on 127.0.0.1, or of what stands before it */
  static async open(script: string, backPort: number): Promise<PageServer> {
    const server = new PageServer(script, backPort);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
