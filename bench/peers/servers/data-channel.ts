/**
 * Echo on a WebRTC data channel of node-datachannel (libdatachannel: ICE, DTLS, SCTP), which geckos.io is
 * made of too: one connection and one reliable ordered channel per flow. Offers come over HTTP.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { readArguments } from '../../suite/servers/arguments.js';
import { type BenchServer, serve } from '../../suite/servers/serve.js';
import {
  createConnection,
  type Description,
  gathered,
  type PeerConnection,
} from '../data-channel-api.js';

async function open(): Promise<BenchServer> {
  const { host } = readArguments();
  const connections: PeerConnection[] = [];
  let echoed = 0;
  let refused = 0;
  const server = createServer(async (request, response) => {
    const offer = (await json(request)) as Description;
    const connection = createConnection(`server-${connections.length}`, host);
    connections.push(connection); // what nobody holds is collected, and closes
    connection.onDataChannel((channel) => {
      channel.onMessage((message) => {
        if (channel.sendMessageBinary(message)) echoed += 1;
        else refused += 1;
      });
      held.push(channel);
    });
    const answer = gathered(connection);
    connection.setRemoteDescription(offer.sdp, offer.type);
    response.end(JSON.stringify(await answer));
  });
  const held: object[] = [];
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ready: { ready: `${host}:${port}` },
    mark: () => ({ echoed, connections: held.length, drops: { 'send-buffered': refused } }),
  };
}

void serve(open);
