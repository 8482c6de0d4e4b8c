/**
 * What our connect tokens carry in their 256 bytes of user data:
 *
 *   "GGP1" | ticket id 8 B | u8 n | player id, n B of UTF-8 | u8 1: to resume, 0: to dial | zeros
 *
 * A token of a foreign backend has other bytes there; its player is named by the client id.
 */
import { TICKET_ID_BYTES } from './tickets.js';

const MAGIC = [0x47, 0x47, 0x50, 0x31];
const ID_AT = 4;
const LENGTH_AT = ID_AT + TICKET_ID_BYTES;
const NAME_AT = LENGTH_AT + 1;
export const USER_DATA_BYTES = 256;
export const PLAYER_ID_BYTES_MAX = 200;

/** Whether a player id fits a token. */
export function isPlayerId(playerId: unknown): playerId is string {
  if (typeof playerId !== 'string' || playerId === '') return false;
  return new TextEncoder().encode(playerId).length <= PLAYER_ID_BYTES_MAX;
}

export function writeUserData(
  ticketId: Uint8Array,
  playerId: string,
  isResume = false,
): Uint8Array {
  const name = new TextEncoder().encode(playerId);
  if (name.length === 0 || name.length > PLAYER_ID_BYTES_MAX) {
    throw new RangeError(
      `ggscale: player id of ${name.length} B, allowed 1…${PLAYER_ID_BYTES_MAX}`,
    );
  }
  const out = new Uint8Array(USER_DATA_BYTES);
  out.set(MAGIC);
  out.set(ticketId, ID_AT);
  out[LENGTH_AT] = name.length;
  out.set(name, NAME_AT);
  out[NAME_AT + name.length] = isResume ? 1 : 0;
  return out;
}

export interface TokenUser {
  playerId: string;
  /** Null when the token was not minted by a ggscale ticket endpoint. */
  ticketId: Uint8Array | null;
  /** The flow is to carry a session on. */
  isResume: boolean;
}

/** The bytes are authenticated by the token; what does not parse is a foreign backend's. */
export function readUserData(bytes: Uint8Array, clientId: bigint): TokenUser {
  const length = bytes[LENGTH_AT];
  const isOurs = MAGIC.every((byte, i) => bytes[i] === byte) && length > 0;
  if (!isOurs || length > PLAYER_ID_BYTES_MAX) {
    return { playerId: `netcode:${clientId}`, ticketId: null, isResume: false };
  }
  const playerId = new TextDecoder().decode(bytes.subarray(NAME_AT, NAME_AT + length));
  const isResume = bytes[NAME_AT + length] === 1;
  return { playerId, ticketId: bytes.slice(ID_AT, LENGTH_AT), isResume };
}
