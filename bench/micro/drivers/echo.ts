/** The server under test: echoes every payload, without a protocol above netcode. Told by IPC. */
import { Endpoint, generateKey } from '../../../src/addon/index.js';
import { RX_PAYLOAD, TX_PAYLOAD } from '../../../src/addon/layout.js';
import { BUFFER_BYTES } from '../../suite/servers/limits.js';
import { type EchoReading, type EchoReady, type EchoSetup, PROTOCOL_ID } from './messages.js';

function main(setup: EchoSetup): void {
  const key = generateKey();
  const endpoint: Endpoint = Endpoint.openServer(
    {
      ...setup,
      host: '127.0.0.1',
      protocolId: PROTOCOL_ID,
      privateKey: key,
      maxFlows: 4096,
      receiveBufferBytes: BUFFER_BYTES,
      sendBufferBytes: BUFFER_BYTES,
    },
    () => echo(endpoint),
  );
  const names = endpoint.counterNames();
  const values = new Float64Array(names.length);
  const of = (name: string) => values[names.indexOf(name)];
  process.on('message', () => {
    endpoint.counters(values);
    const { user, system } = process.cpuUsage();
    const reading: EchoReading = {
      cpuUs: user + system,
      turns: of('turns'),
      datagrams: of('socket-datagrams-in'),
      lost: of('rx-overflow'),
    };
    process.send?.(reading);
  });
  process.on('disconnect', () => process.exit());
  const ready: EchoReady = { port: endpoint.address().port, key: [...key] };
  process.send?.(ready);
}

function echo(endpoint: Endpoint): void {
  endpoint.drain();
  while (endpoint.rxPoll()) {
    if (endpoint.kind !== RX_PAYLOAD) continue;
    const { slot, generation, offset, length } = endpoint;
    const at = endpoint.txReserve(length, slot);
    if (at < 0) continue;
    endpoint.bytes.copyWithin(at, offset, offset + length);
    endpoint.txCommit(TX_PAYLOAD, slot, generation, length);
  }
  endpoint.rxRelease();
  endpoint.flush();
}

main(JSON.parse(process.argv[2]) as EchoSetup);
