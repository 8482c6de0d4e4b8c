/** WebRTC data channels of node-datachannel, a connection per flow. */
import {
  createConnection,
  type DataChannel,
  type Description,
  described,
  type PeerConnection,
} from '../data-channel-api.js';
import type { Heard, LoadOptions, PeerClient } from './engine.js';

export async function openDataChannels(
  { host, port }: LoadOptions,
  heard: Heard,
): Promise<PeerClient> {
  const connections: PeerConnection[] = [];
  const channels: DataChannel[] = [];
  return {
    open: openOne,
    send(flow, message) {
      channels[flow].sendMessageBinary(message);
    },
  };

  async function openOne(flow: number): Promise<void> {
    const connection = createConnection(`load-${flow}`, host.startsWith('127.') ? host : '');
    connections.push(connection); // what nobody holds is collected, and closes
    const offer = described(connection);
    const channel = connection.createDataChannel('echo');
    channels[flow] = channel;
    channel.onMessage(heard);
    const isOpen = new Promise<void>((resolve) => channel.onOpen(resolve));
    const body = JSON.stringify(await offer);
    const response = await fetch(`http://${host}:${port}/`, { method: 'POST', body });
    const answer = (await response.json()) as Description;
    connection.setRemoteDescription(answer.sdp, answer.type);
    await isOpen;
  }
}
