/** Who gets a ticket, and which addresses its connect token names. */
import { advertisedAddresses } from './addresses.js';
import type { MintedTicket, TicketRequest } from './http-face.js';
import { Problem } from './problem.js';
import { TICKET_LIFETIME_S, type TicketBook } from './tickets.js';
import type { UdpListener } from './udp-listener.js';

export interface TicketDeskHost {
  readonly tickets: TicketBook;
  /** Put into tokens instead of the bound address, when there are any. */
  readonly advertise: string[];
  /** Null while UDP is off. */
  udpListener(): UdpListener | null;
  isFull(playerId: string): boolean;
  /** @throws Problem 503 */
  refuseIfBusy(playerId: string): void;
  /** @throws Problem 409, 410 */
  checkMayResume(playerId: string, session: string): void;
}

/** Null: there is no room for another player. @throws Problem */
export function mintTicket(
  host: TicketDeskHost,
  { playerId, localAddress, resume }: TicketRequest,
): MintedTicket | null {
  const isResume = resume !== null;
  if (isResume) {
    host.checkMayResume(playerId, resume);
  } else {
    host.refuseIfBusy(playerId);
    if (host.isFull(playerId)) return null;
  }
  const minted = host.tickets.mint(playerId, isResume);
  if (!minted.ok) throw new Problem(429, minted.code, 'unused tickets are outstanding', 5);
  const udp = host.udpListener();
  const addresses = advertisedAddresses(host.advertise, udp?.address ?? null, localAddress);
  const connectToken = udp?.mintToken(playerId, minted.id, addresses, isResume) ?? null;
  return { ticket: minted.ticket, connectToken, expiresInSeconds: TICKET_LIFETIME_S };
}
