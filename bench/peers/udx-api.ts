/** As much of udx-native as is used: https://github.com/holepunchto/udx-native, README. */
import { npmModule } from './locks.js';

export interface UdxStream {
  connect(socket: UdxSocket, remoteId: number, port: number, host: string): void;
  write(data: Uint8Array): boolean;
  on(event: 'data', listener: (data: Buffer) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  setInteractive(isInteractive: boolean): void;
}

export interface UdxSocket {
  bind(port: number, host: string): void;
  address(): { port: number };
  send(data: Buffer, port: number, host: string): Promise<unknown>;
  on(
    event: 'message',
    listener: (data: Buffer, from: { host: string; port: number }) => void,
  ): void;
}

interface Udx {
  createSocket(): UdxSocket;
  createStream(id: number): UdxStream;
}

/** Streams have no handshake: a datagram with this many bytes says which stream wants to begin. */
export const HELLO_BYTES = 4;

export function createUdx(): Udx {
  const UDX = npmModule<new () => Udx>('udx-native');
  return new UDX();
}
