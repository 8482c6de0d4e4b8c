/** Echo as a request and its answer: node:http, JSON, connections kept alive. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readArguments } from './arguments.js';
import { type BenchServer, serve } from './serve.js';

const BAD_REQUEST = 400;

async function open(): Promise<BenchServer> {
  const { host } = readArguments();
  let echoed = 0;
  let connections = 0;
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      try {
        const body = JSON.stringify(JSON.parse(text));
        response.setHeader('Content-Type', 'application/json');
        response.setHeader('Content-Length', Buffer.byteLength(body));
        response.end(body);
        echoed += 1;
      } catch {
        response.writeHead(BAD_REQUEST).end();
      }
    });
  });
  server.keepAliveTimeout = 0; // the load rests while others are measured
  server.requestTimeout = 0;
  server.on('connection', (socket) => {
    connections += 1;
    socket.on('close', () => {
      connections -= 1;
    });
  });
  server.listen({ host, port: 0, backlog: 4096 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { ready: { ready: `${host}:${port}` }, mark: () => ({ echoed, connections }) };
}

void serve(open);
