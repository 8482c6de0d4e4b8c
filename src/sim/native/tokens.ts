/** Connect tokens of simulated backends: every field follows from the world's seed. */
import { sealConnectToken } from '../../addon/sim-rings.js';
import { Stream } from '../random.js';

export const PROTOCOL_ID = 0x67677363n;
export const SERVER_ADDRESS = '10.0.0.1:4000';
const USER_DATA_BYTES = 256;

/** The wall clock of every world begins here, seconds since 1970; any moment would do. */
export const UNIX_S = 1_800_000_000;

export class TokenMint {
  readonly privateKey: Uint8Array;
  private readonly random: Stream;

  constructor(
    seed: number,
    private readonly timeoutS: number,
    private readonly lifeS: number,
    /** Several servers with one backend share its key. */
    keySeed = seed,
  ) {
    this.privateKey = randomBytes(new Stream(keySeed, 'private key'), 32);
    this.random = new Stream(seed, 'tokens');
  }

  /** A token for one connection; `flow` comes back out of its user data at the server. */
  mint(clientId: number, flow: number, unixS: number): Uint8Array {
    const { random } = this;
    const userData = new Uint8Array(USER_DATA_BYTES);
    new DataView(userData.buffer).setUint32(0, flow, true);
    return sealConnectToken({
      protocolId: PROTOCOL_ID,
      privateKey: this.privateKey,
      clientId: BigInt(clientId),
      serverAddresses: [SERVER_ADDRESS],
      createTimestamp: BigInt(unixS),
      expireTimestamp: BigInt(unixS + this.lifeS),
      timeoutSeconds: this.timeoutS,
      userData,
      nx: 'known',
      nonce: randomBytes(random, 24),
      clientToServerKey: randomBytes(random, 32),
      serverToClientKey: randomBytes(random, 32),
    });
  }
}

export function flowIn(userData: Uint8Array): number {
  return new DataView(userData.buffer, userData.byteOffset).getUint32(0, true);
}

function randomBytes(random: Stream, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) bytes[i] = random.nextInt32();
  return bytes;
}
