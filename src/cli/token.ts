/** `token`: a connect token for tests by hand and for backends in other languages. */
import type { Io } from './io.js';
import { readKey } from './keys.js';

export interface TokenOptions {
  address: string[];
  keyFile?: string;
  clientId: bigint;
  protocolId: bigint;
  expires: number;
  timeout: number;
  userData?: Uint8Array;
  json?: boolean;
}

/** @throws UsageError no key; TransportError addon-missing … */
export async function token(options: TokenOptions, io: Io): Promise<void> {
  const privateKey = readKey(options.keyFile, io);
  const { createConnectToken, readConnectToken } = await import('../server/index.js');
  const bytes = createConnectToken({
    protocolId: options.protocolId,
    privateKey,
    clientId: options.clientId,
    serverAddresses: options.address,
    expireSeconds: options.expires,
    timeoutSeconds: options.timeout,
    ...(options.userData === undefined ? {} : { userData: options.userData }),
  });
  // Read back, so that what is shown is what a client sees. The keys in it are nobody else's.
  const { protocolId, createTimestamp, expireTimestamp, timeoutSeconds, serverAddresses } =
    readConnectToken(bytes);
  const fields = {
    protocolId: `0x${protocolId.toString(16)}`,
    clientId: String(options.clientId),
    serverAddresses,
    created: isoTime(createTimestamp),
    expires: isoTime(expireTimestamp),
    timeoutSeconds,
    token: Buffer.from(bytes).toString('base64'),
  };
  if (options.json) {
    io.out(`${JSON.stringify(fields, null, 2)}\n`);
    return;
  }
  io.out(
    [
      `protocol id  ${fields.protocolId}`,
      `client id    ${fields.clientId}`,
      `addresses    ${serverAddresses.join(' ')}`,
      `created      ${fields.created}`,
      `expires      ${fields.expires}`,
      `timeout      ${timeoutSeconds} s`,
      `token        ${fields.token}`,
      '',
    ].join('\n'),
  );
}

function isoTime(unixS: bigint): string {
  return new Date(Number(unixS) * 1000).toISOString().replace('.000Z', 'Z');
}
