/** As much of node-datachannel as is used: https://github.com/murat-dogan/node-datachannel, API.md. */
import { npmModule } from './locks.js';

export interface DataChannel {
  sendMessageBinary(message: Uint8Array): boolean;
  onOpen(listener: () => void): void;
  onMessage(listener: (message: Buffer) => void): void;
}

export interface PeerConnection {
  createDataChannel(label: string): DataChannel;
  onDataChannel(listener: (channel: DataChannel) => void): void;
  onGatheringStateChange(listener: (state: string) => void): void;
  onLocalDescription(listener: (sdp: string, type: Description['type']) => void): void;
  setRemoteDescription(sdp: string, type: Description['type']): void;
  localDescription(): Description;
}

export interface Description {
  type: 'offer' | 'answer';
  sdp: string;
}

interface Library {
  PeerConnection: new (name: string, options: object) => PeerConnection;
}

/** No server in between: both sides are on this machine, on addresses that are known. */
export function createConnection(name: string, bindAddress: string): PeerConnection {
  const { PeerConnection } = npmModule<Library>('node-datachannel');
  const options = { iceServers: [], ...(bindAddress === '' ? {} : { bindAddress }) };
  return new PeerConnection(name, options);
}

/**
 * Resolves with the offer before its candidates, so that the answering side has nobody to check until the
 * offering side, who knows everything by then, checks it. Two things go wrong in libdatachannel 0.24 when
 * the answering side checks first and connects: its first DTLS flight comes before the offering side has
 * DTLS, is dropped, and is sent again after a second (OpenSSL's timer); and the offering side may shake
 * hands before it has kept the answer's fingerprint, fails, and says that a candidate came "without ICE
 * transport".
 */
export function described(connection: PeerConnection): Promise<Description> {
  return new Promise((resolve) => {
    connection.onLocalDescription((sdp, type) => resolve({ sdp, type }));
  });
}

/** Resolves with all candidates in it, so that one exchange is enough. */
export function gathered(connection: PeerConnection): Promise<Description> {
  return new Promise((resolve) => {
    connection.onGatheringStateChange((state) => {
      if (state === 'complete') resolve(connection.localDescription());
    });
  });
}
