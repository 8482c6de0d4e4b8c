/**
 * Two copies of the addon in one process, as when two packages depend on different versions: a server
 * of this program's modules and a client of another folder's. Arguments: that folder, its .node file.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ADDON_VARIABLE, loadBinding } from '../../../src/addon/load-binding.js';
import { openServer, tokenFor } from '../peers.js';

const [folder, addon] = process.argv.slice(2);
const { server, key } = openServer();
server.echo = true;

process.env[ADDON_VARIABLE] = addon;
const at = (path: string) => pathToFileURL(join(folder, path)).href;
const peers = (await import(at('test/teardown/peers.js'))) as typeof import('../peers.js');
const { loadBinding: loadOther } = (await import(
  at('src/addon/load-binding.js')
)) as typeof import('../../../src/addon/load-binding.js');

const client = peers.openClient();
const flow = client.endpoint.connect(tokenFor(server, key));
await client.until(() => client.opened.length > 0);
for (let i = 0; i < 10; i++) client.send(flow, new Uint8Array([i]));
client.endpoint.flush();
await client.until(() => client.payloads.length === 10);
client.endpoint.close();
await server.until(() => server.closed.length > 0);
server.endpoint.close();
const isSame = loadBinding() === loadOther();
process.stdout.write(isSame ? 'one copy\n' : 'two copies\n');
