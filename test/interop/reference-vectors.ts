/**
 * Golden bytes of the C reference implementation, where the package of netcode-official carries them
 * (its tests/vectors; the inputs are those of its src/wire_compat.rs). They are read from cargo's own
 * copy of the package, so none of them is kept here.
 */

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PEERS_DIRECTORY, searchPath } from './peer-build.js';
import { collectText } from './peer-process.js';

function bytesOf(length: number, valueAt: (index: number) => number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => valueAt(index));
}

/** The inputs from which the reference made its vectors. */
export const REFERENCE_INPUTS = {
  protocolId: 0x1122334455667788n,
  clientId: 0x0102030405060708n,
  createTimestamp: 1_720_000_000n,
  expireTimestamp: 1_720_000_100n,
  timeoutSeconds: 15,
  serverAddresses: ['127.0.0.1:40000', '[::1]:50000'],
  privateKey: Uint8Array.from(
    Buffer.from('606abe6ec91910ea9a6562f66f2b30e44371d62cd19927266b3c60f4b715aba1', 'hex'),
  ),
  nonce: bytesOf(24, (index) => 100 + index),
  clientToServerKey: bytesOf(32, (index) => index),
  serverToClientKey: bytesOf(32, (index) => 255 - index),
  userData: bytesOf(256, (index) => index),
};

export async function readReferenceVector(name: string): Promise<Uint8Array> {
  const cargo = spawn('cargo', ['metadata', '--locked', '--format-version', '1'], {
    cwd: PEERS_DIRECTORY,
    env: { ...process.env, PATH: searchPath() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const metadata = JSON.parse(await collectText(cargo.stdout)) as {
    packages: { name: string; manifest_path: string }[];
  };
  const found = metadata.packages.find((entry) => entry.name === 'netcode-official');
  if (found === undefined) throw new Error('cargo does not know the package netcode-official');
  return readFile(join(dirname(found.manifest_path), 'tests', 'vectors', name));
}
