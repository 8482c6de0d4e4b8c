/** Messages at the edges: rooms that empty, late handlers, options out of range, raw flows. */
import t from 'tap';
import { Endpoint } from '../../src/addon/index.js';
import { RX_OPENED, TX_PAYLOAD } from '../../src/addon/layout.js';
import { createConnectToken, type Player, type RawFlow } from '../../src/server/index.js';
import { dial, listen, until, WIRES } from './support.js';

interface Messages {
  [type: string]: unknown;
}

for (const wire of WIRES) {
  const options = { udp: wire === 'udp' ? {} : (false as const) };

  t.test(`${wire}: a room is the same room after it was empty`, async (t) => {
    const server = await listen<Messages>(options);
    t.teardown(() => server.close());
    const lobby = server.room('lobby');
    const connection = await dial(server, wire, 'anna');
    const player = server.players.get('anna') as Player<Messages>;
    lobby.join(player);
    lobby.leave(player);
    lobby.join(player);
    t.equal(server.room('lobby').size, 1);
    t.equal(server.room('lobby').broadcast('note', 1), 1);
    t.same(await connection.readMessage(), { type: 'note', value: 1 });
    await connection.close();
    await until(() => lobby.size === 0, 'the leave');
  });

  t.test(`${wire}: a handler set in a handler gets the earlier messages first`, async (t) => {
    const server = await listen<Messages>(options);
    t.teardown(() => server.close());
    server.on('go', (player) => {
      for (let i = 0; i < 3; i++) player.send('n', i);
      player.send('start', null);
      for (let i = 3; i < 6; i++) player.send('n', i);
    });
    const connection = await dial(server, wire, 'anna');
    const values: unknown[] = [];
    connection.on('start', () => connection.on('n', (value) => values.push(value)));
    connection.send('go', null);
    await until(() => values.length === 6, 'all six');
    t.same(values, [0, 1, 2, 3, 4, 5]);
    await connection.close();
  });

  t.test(`${wire}: a handler removed at once takes nothing with it`, async (t) => {
    const server = await listen<Messages>(options);
    t.teardown(() => server.close());
    server.onJoin((player) => {
      player.send('n', 1);
      player.send('end', null);
    });
    const connection = await dial(server, wire, 'anna');
    await new Promise<void>((resolve) => connection.on('end', () => resolve()));
    connection.on('n', () => t.fail('it is gone'))();
    t.same(await connection.readMessage(), { type: 'n', value: 1 });
    await connection.close();
  });

  t.test(`${wire}: a departed player neither takes messages nor stops the process`, async (t) => {
    const server = await listen<Messages>(options);
    t.teardown(() => server.close());
    const connection = await dial(server, wire, 'anna');
    const player = server.players.get('anna') as Player<Messages>;
    let isTicked = false;
    player.close();
    setImmediate(() => {
      isTicked = true;
    });
    while (!isTicked && player.send('n', 1) === 'full') await player.drained();
    t.ok(isTicked);
    await connection.closed;
  });
}

t.test(
  'a raw flow closed by its handler is gone, and the next one in its slot is new',
  async (t) => {
    const privateKey = new Uint8Array(32).fill(7);
    const server = await listen<Messages>({ udp: { privateKey, maxFlows: 1 } });
    t.teardown(() => server.close());
    const { host, port } = server.udp as { host: string; port: number };
    const opened: bigint[] = [];
    let payloads = 0;
    server.onRaw((flow: RawFlow) => opened.push(flow.clientId));
    server.onRawPayload((flow) => {
      payloads++;
      flow.close();
    });
    for (const clientId of [1n, 2n]) {
      const endpoint: Endpoint = Endpoint.openClient({ host: '127.0.0.1' }, () => {
        endpoint.drain();
        while (endpoint.rxPoll()) {
          if (endpoint.kind !== RX_OPENED) continue;
          for (let i = 0; i < 3; i++) {
            const at = endpoint.txReserve(4);
            endpoint.bytes.fill(0xee, at, at + 4);
            endpoint.txCommit(TX_PAYLOAD, endpoint.slot, endpoint.generation, 4);
          }
        }
        endpoint.rxRelease();
        endpoint.flush();
      });
      t.teardown(() => endpoint.close());
      endpoint.connect(
        createConnectToken({
          protocolId: 0x67677363616c6501n,
          privateKey,
          clientId,
          serverAddresses: [`${host}:${port}`],
          expireSeconds: 30,
          timeoutSeconds: 5,
          userData: new Uint8Array(256),
        }),
      );
      await until(() => opened.length === Number(clientId), `raw flow ${clientId}`);
      endpoint.close();
    }
    t.same(opened, [1n, 2n]);
    t.ok(payloads >= 2);
  },
);
