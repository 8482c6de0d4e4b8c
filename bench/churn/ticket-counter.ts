/** Tickets over keep-alive HTTP, from as many addresses as the server's limit per address needs. */
import { Agent, request } from 'node:http';
import type { SourceAddresses } from './udp-wire.js';
import { VisitFailure } from './visitor.js';
import type { Ticket } from './wires.js';

/** A server's default is 50 tickets a second for an address. */
const ADDRESSES = 64;
const CONNECTIONS_PER_ADDRESS = 4;

export class TicketCounter {
  readonly #url: URL;
  readonly #agents: Agent[] = [];
  #next = 0;

  constructor(origin: string, addresses: SourceAddresses) {
    this.#url = new URL('/v1/game/ticket', origin);
    for (let at = 0; at < ADDRESSES; at++) {
      const localAddress = addresses.next();
      const options = { keepAlive: true, maxSockets: CONNECTIONS_PER_ADDRESS, localAddress };
      this.#agents.push(new Agent(options));
    }
  }

  /** @throws VisitFailure `ticket: …` */
  ask(playerId: string, resume: string | null): Promise<Ticket> {
    const body = resume === null ? '{}' : JSON.stringify({ resume });
    const agent = this.#agents[this.#next++ % ADDRESSES];
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': body.length,
      'X-Session-Token': playerId,
    };
    const { hostname, port, pathname } = this.#url;
    return new Promise((resolve, reject) => {
      const fail = (what: string) => reject(new VisitFailure(`ticket: ${what}`));
      const options = { hostname, port, path: pathname, method: 'POST', agent, headers };
      const asked = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          if (response.statusCode !== 200) return fail(`HTTP ${response.statusCode}`);
          const { ticket, connectToken } = JSON.parse(text) as Record<string, string | null>;
          const token = connectToken === null ? '' : (connectToken as string);
          resolve({ ticket: ticket as string, connectToken: Buffer.from(token, 'base64') });
        });
      });
      asked.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
      asked.end(body);
    });
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }
}
