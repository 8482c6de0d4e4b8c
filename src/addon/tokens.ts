/** Connect tokens for backends, and private keys. All throw TransportError. */
import type {
  ConnectTokenFields,
  ConnectTokenOptions,
  PrivateToken,
  PublicToken,
} from './binding.js';
import { loadBinding } from './load-binding.js';
import { callNative } from './native-errors.js';

/** 32 B from the operating system's generator. */
export function generateKey(): Uint8Array {
  return callNative(() => loadBinding().generateKey());
}

/** A netcode 1.02 connect token (2048 B) with fresh keys. @throws bad-key, bad-address, bad-option */
export function createConnectToken(options: ConnectTokenOptions): Uint8Array {
  return callNative(() => loadBinding().createConnectToken(options));
}

/** A token of which every field is given: for vectors and foreign backends. */
export function sealConnectToken(fields: ConnectTokenFields): Uint8Array {
  return callNative(() => loadBinding().sealConnectToken(fields));
}

/** What a client can read of its token. @throws bad-token */
export function readConnectToken(token: Uint8Array): PublicToken {
  return callNative(() => loadBinding().readConnectToken(token));
}

/** What a server reads of a token under its private key. @throws bad-token, bad-key */
export function openPrivateToken(token: Uint8Array, privateKey: Uint8Array): PrivateToken {
  return callNative(() => loadBinding().openPrivateToken(token, privateKey));
}
