/** Tokens from our own API. */

import { createConnectToken } from '../../src/addon/index.js';
import type { TokenFields } from './world.js';

export function ourToken(fields: TokenFields): Uint8Array {
  return createConnectToken({
    protocolId: fields.protocolId,
    privateKey: fields.privateKey,
    clientId: fields.clientId,
    serverAddresses: fields.server.split(','),
    expireSeconds: fields.expireSeconds,
    timeoutSeconds: fields.timeoutSeconds,
    userData: fields.userData,
    ...(fields.dial === undefined ? {} : { publicAddresses: fields.dial.split(',') }),
  });
}
