/** A client's runtime whose native flows come and go between its turns. */
import t from 'tap';
import { createConnectToken, SimRings } from '../addon/index.js';
import { Protocol } from '../protocol/index.js';
import type { ClosedFlow } from './handler.js';
import { Runtime } from './runtime.js';

const PROTOCOL_ID = 77n;
const KEY = new Uint8Array(32).fill(3);
const SERVER = '10.0.0.1:4000';
const CLIENT = '10.0.0.2:5000';
const TIMEOUT_S = 5;

/** Tells what the handler hears; `step` moves the clock and carries what there is. */
function world() {
  const startUs = 1_000_000;
  const unixS = Math.floor(Date.now() / 1000);
  const common = { seed: 1, startUs, unixS, maxPayloadBytes: 1200, tickIntervalUs: 0 };
  const keys = { protocolId: PROTOCOL_ID, privateKey: KEY };
  const server = new SimRings({ ...common, ...keys, role: 'server', maxFlows: 4 });
  const client = new SimRings({ ...common, role: 'client', maxFlows: 1 });
  const heard: string[] = [];
  const nothing = () => {};
  const runtime = new Runtime({
    endpoint: client,
    protocol: new Protocol({ maxFlows: 1, seed: 1, registryHash: 1, maxAckDelayUs: 25_000 }),
    handler: {
      handleFlowOpened: ({ slot }) => heard.push(`${slot} opened`),
      handleFlowClosed: (slot: number, { code, reason }: ClosedFlow) => {
        heard.push(`${slot} closed ${code} ${reason}`);
      },
      handleFlowReady: nothing,
      handleMessage: nothing,
      handleRawPayload: nothing,
      handleFlowMoved: nothing,
      handleDrained: nothing,
      handleReceipt: nothing,
      handleWritable: nothing,
      handleTick: nothing,
      handleDeadline: nothing,
    },
    role: 'client',
    driver: 'tick', // turns are the test's
    tickIntervalUs: 0,
    maxFlows: 1,
    maxPayloadBytes: 1192,
  });
  const scratch = new Uint8Array(2048);
  let timeUs = startUs;
  const carry = (from: SimRings, to: SimRings, address: string) => {
    for (;;) {
      const datagram = from.native.pollTransmit(scratch);
      if (datagram === null) return;
      to.native.inject(address, scratch.subarray(0, datagram.length));
    }
  };
  const pass = (us: number) => {
    timeUs += us;
    server.native.setTime(timeUs);
    client.native.setTime(timeUs);
  };
  const step = () => {
    pass(10_000);
    server.drain();
    while (server.rxPoll()); // nobody answers above netcode
    server.rxRelease();
    server.flush();
    runtime.turn();
    carry(server, client, SERVER);
    carry(client, server, CLIENT);
  };
  const connect = (clientId: bigint) => {
    const serverAddresses = [SERVER];
    const times = { expireSeconds: 30, timeoutSeconds: TIMEOUT_S };
    runtime.connect(createConnectToken({ ...keys, clientId, serverAddresses, ...times }));
  };
  return { client, heard, pass, step, connect };
}

t.test('a flow that ended between two turns is over when its slot is used again', async (t) => {
  const { client, heard, pass, step, connect } = world();
  connect(1n);
  for (let i = 0; i < 10; i++) step();
  t.same(heard, ['0 opened']);
  // A turn in between keeps what is in the socket from being missed; then netcode's own timer.
  for (let i = 0; i <= TIMEOUT_S * 100; i++) {
    pass(10_000);
    client.native.drain();
    client.native.service();
  }
  connect(2n);
  t.same(heard.splice(0), ['0 opened', '0 closed 1006 timeout']);
  for (let i = 0; i < 10; i++) step();
  t.same(heard, ['0 opened'], 'and the new one is another flow');
});
