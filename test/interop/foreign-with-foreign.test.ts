/** The harness itself: foreign implementations talk to each other through the same programs. */

import t from 'tap';
import { buildPeers } from './peer-build.js';
import { PeerProcess } from './peer-process.js';
import {
  EVERY_SIZE,
  FILE_TIMEOUT_MS,
  foreignToken,
  LOOPBACK,
  PAYLOAD_BYTES_MAX,
  toHex,
  tokenFields,
} from './world.js';

t.setTimeout(FILE_TIMEOUT_MS);

const { peers, skipReason } = await buildPeers();
if (skipReason !== null) t.plan(0, skipReason);

for (const ours of peers) {
  for (const theirs of peers) {
    t.test(`${ours.name} client and ${theirs.name} server echo every size`, async (t) => {
      const fields = tokenFields();
      const server = new PeerProcess(theirs, 'server', {
        bind: LOOPBACK,
        'protocol-id': fields.protocolId.toString(),
        key: toHex(fields.privateKey),
      });
      t.teardown(() => server.kill());
      const { port } = await server.next('ready');
      const token = await foreignToken(ours, { ...fields, server: `127.0.0.1:${port}` });
      const client = new PeerProcess(ours, 'client', { bind: LOOPBACK, token: toHex(token) });
      t.teardown(() => client.kill());
      await client.next('connected');
      const connected = await server.next('connected');
      t.equal(connected.flow, fields.clientId.toString(), 'the client id arrives');
      t.equal(connected.userData, toHex(fields.userData), 'the user data arrives');

      for (const driver of [client, server]) {
        driver.command(`drive ${EVERY_SIZE} 7 ${PAYLOAD_BYTES_MAX}`);
        t.match(await driver.next('driven'), { sent: EVERY_SIZE, matched: EVERY_SIZE });
      }

      client.command('disconnect');
      const { reason, echoed } = await server.next('disconnected');
      t.equal(reason, 'client disconnect');
      t.equal(echoed, EVERY_SIZE);
      t.equal(await client.ended, 0);
    });
  }
}
