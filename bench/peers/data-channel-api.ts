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

/** Resolves with all candidates in it, so that one exchange is enough. */
export function gathered(connection: PeerConnection): Promise<Description> {
  return new Promise((resolve) => {
    connection.onGatheringStateChange((state) => {
      if (state === 'complete') resolve(connection.localDescription());
    });
  });
}
