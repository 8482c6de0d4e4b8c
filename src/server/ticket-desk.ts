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
  /** Why this player may not come in now; null: it may. */
  refusal(playerId: string): Problem | null;
  /** @throws Problem 409, 410 */
  checkMayResume(playerId: string, session: string): void;
}

/** @throws Problem */
export function mintTicket(
  host: TicketDeskHost,
  { session, askedMs, localAddress, resume }: TicketRequest,
): MintedTicket {
  const { playerId } = session;
  const isResume = resume !== null;
  const refusal = isResume ? null : host.refusal(playerId);
  if (isResume) host.checkMayResume(playerId, resume);
  if (refusal !== null) throw refusal;
  const minted = host.tickets.mint(session, isResume, askedMs);
  if (!minted.ok) {
    // What the hook said is older than the revocation.
    if (minted.code === 'revoked') throw new Problem(401, 'unauthenticated', 'session revoked');
    throw new Problem(429, minted.code, 'unused tickets are outstanding', 5);
  }
  const udp = host.udpListener();
  const addresses = advertisedAddresses(host.advertise, udp?.address ?? null, localAddress);
  const connectToken = udp?.mintToken(playerId, minted.id, addresses, isResume) ?? null;
  return { ticket: minted.ticket, connectToken, expiresInSeconds: TICKET_LIFETIME_S };
}
