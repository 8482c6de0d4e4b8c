/**
 * Checks the golden vectors of NX with Node's own cryptography and nothing but docs/wire/nx.md: what
 * is written there must be enough to get the same bytes.
 */

import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';

function vectors<T>(name: string): T[] {
  const url = new URL(`./nx/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as T[];
}

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

// Section 1: what a token says.

function capabilityOf(padding: Buffer): string {
  if (padding.toString('latin1', 0, 4) !== 'GGNX' || padding[4] === 0) return 'silent';
  const [, , , , , flags, least] = padding;
  if ((flags & 2) !== 0) return least > 1 ? 'required-newer' : 'required';
  return (flags & 1) !== 0 ? 'known' : 'silent';
}

t.test('tokens say in both parts what they say about NX', (t) => {
  interface Vector {
    name: string;
    token: string;
    privateOpened: string;
  }
  // One IPv4 address of 7 B: docs/wire/netcode.md, section 1.
  const publicPadding = 1093 + 7 + 32 + 32;
  const privatePadding = 16 + 7 + 32 + 32 + 256;
  for (const vector of vectors<Vector>('tokens')) {
    const token = bytes(vector.token);
    t.equal(token.length, 2048);
    t.equal(capabilityOf(token.subarray(publicPadding)), vector.name);
    const opened = bytes(vector.privateOpened);
    t.equal(capabilityOf(opened.subarray(privatePadding)), vector.name);
    t.ok(
      opened.subarray(privatePadding + 8).every((byte) => byte === 0),
      'zeros behind it',
    );
  }
  t.end();
});

// Section 3: keys.

const X25519_PRIVATE = bytes('302e020100300506032b656e04220420');
const X25519_PUBLIC = bytes('302a300506032b656e032100');

function sharedOf(privateKey: string, publicKey: string): Buffer {
  return diffieHellman({
    privateKey: createPrivateKey({
      key: Buffer.concat([X25519_PRIVATE, bytes(privateKey)]),
      format: 'der',
      type: 'pkcs8',
    }),
    publicKey: createPublicKey({
      key: Buffer.concat([X25519_PUBLIC, bytes(publicKey)]),
      format: 'der',
      type: 'spki',
    }),
  });
}

t.test('keys come out of nonces, token and X25519', (t) => {
  interface Vector {
    name: string;
    clientNonce: string;
    serverNonce: string;
    clientToServerTokenKey: string;
    serverToClientTokenKey: string;
    x25519: {
      clientPrivate: string;
      clientPublic: string;
      serverPrivate: string;
      serverPublic: string;
      shared: string;
    } | null;
    tokenTag: string;
    connectionId: string;
    clientToServerKey: string;
    clientToServerIv: string;
    serverToClientKey: string;
    serverToClientIv: string;
  }
  for (const vector of vectors<Vector>('keys')) {
    const secret = [vector.clientToServerTokenKey, vector.serverToClientTokenKey].map(bytes);
    if (vector.x25519 !== null) {
      const { clientPrivate, clientPublic, serverPrivate, serverPublic, shared } = vector.x25519;
      const atClient = sharedOf(clientPrivate, serverPublic);
      t.same(atClient, sharedOf(serverPrivate, clientPublic));
      t.equal(atClient.toString('hex'), shared);
      secret.push(atClient);
    }
    const salt = Buffer.concat([bytes(vector.clientNonce), bytes(vector.serverNonce)]);
    const made = (label: string, length: number) => {
      const info = Buffer.concat([
        Buffer.from(`ggscale nx1 ${label}`),
        bytes(vector.tokenTag),
        bytes(vector.connectionId),
      ]);
      const out = hkdfSync('sha256', Buffer.concat(secret), salt, info, length);
      return Buffer.from(out).toString('hex');
    };
    t.equal(made('c2s key', 32), vector.clientToServerKey, vector.name);
    t.equal(made('c2s iv', 12), vector.clientToServerIv);
    t.equal(made('s2c key', 32), vector.serverToClientKey);
    t.equal(made('s2c iv', 12), vector.serverToClientIv);
  }
  t.end();
});

// Section 2: datagrams.

interface Packet {
  name: string;
  type: number;
  protocolId: string;
  key: string;
  iv: string;
  connectionId: string | null;
  sequence: string;
  nonce: string;
  body: string;
  datagram: string;
}

interface Header {
  type: number;
  connectionId: Buffer | null;
  sequence: bigint;
  /** Bytes of prefix and connection id, all of it associated data. */
  authentic: number;
  /** Where the sealed body begins. */
  body: number;
}

function headerOf(datagram: Buffer): Header {
  const type = datagram[0] & 15;
  const hasId = type === 8 || type === 9;
  const authentic = hasId ? 9 : 1;
  const body = authentic + (datagram[0] >> 4);
  let sequence = 0n;
  for (let at = body - 1; at >= authentic; at--) sequence = (sequence << 8n) | BigInt(datagram[at]);
  const connectionId = hasId ? datagram.subarray(1, 9) : null;
  return { type, connectionId, sequence, authentic, body };
}

function nonceOf(iv: Buffer, sequence: bigint): Buffer {
  const nonce = Buffer.from(iv);
  nonce.writeBigUInt64LE(nonce.readBigUInt64LE(4) ^ sequence, 4);
  return nonce;
}

function associatedData(protocolId: bigint, start: Buffer): Buffer {
  const id = Buffer.alloc(8);
  id.writeBigUInt64LE(protocolId);
  return Buffer.concat([Buffer.from('NETCODE 1.02\0', 'latin1'), id, start]);
}

const AEAD = 'chacha20-poly1305';

function open(packet: Packet, datagram: Buffer): Buffer {
  const header = headerOf(datagram);
  const nonce = nonceOf(bytes(packet.iv), header.sequence);
  const aad = associatedData(BigInt(packet.protocolId), datagram.subarray(0, header.authentic));
  const sealed = datagram.subarray(header.body, -16);
  const cipher = createDecipheriv(AEAD, bytes(packet.key), nonce, { authTagLength: 16 });
  cipher.setAAD(aad, { plaintextLength: sealed.length });
  cipher.setAuthTag(datagram.subarray(-16));
  return Buffer.concat([cipher.update(sealed), cipher.final()]);
}

function seal(packet: Packet): Buffer {
  const sequence = Buffer.alloc(8);
  sequence.writeBigUInt64LE(BigInt(packet.sequence));
  let count = 8;
  while (count > 1 && sequence[count - 1] === 0) count--;
  const id = packet.connectionId === null ? Buffer.alloc(0) : bytes(packet.connectionId);
  const start = Buffer.concat([Buffer.from([(count << 4) | packet.type]), id]);
  const nonce = nonceOf(bytes(packet.iv), BigInt(packet.sequence));
  const body = bytes(packet.body);
  const cipher = createCipheriv(AEAD, bytes(packet.key), nonce, { authTagLength: 16 });
  cipher.setAAD(associatedData(BigInt(packet.protocolId), start), { plaintextLength: body.length });
  const sealed = Buffer.concat([cipher.update(body), cipher.final()]);
  return Buffer.concat([start, sequence.subarray(0, count), sealed, cipher.getAuthTag()]);
}

t.test('packets are sealed and opened byte for byte', (t) => {
  for (const packet of vectors<Packet>('packets')) {
    const datagram = bytes(packet.datagram);
    t.equal(seal(packet).toString('hex'), packet.datagram, packet.name);
    const header = headerOf(datagram);
    t.equal(header.type, packet.type);
    t.equal(header.connectionId?.toString('hex') ?? null, packet.connectionId);
    t.equal(header.sequence, BigInt(packet.sequence));
    t.equal(nonceOf(bytes(packet.iv), header.sequence).toString('hex'), packet.nonce);
    t.equal(open(packet, datagram).toString('hex'), packet.body);
    t.equal(header.connectionId !== null, packet.type === 8 || packet.type === 9);
    for (let at = 0; at < header.body; at++) {
      const altered = Buffer.from(datagram);
      altered[at] ^= 1;
      t.throws(() => open(packet, altered), `byte ${at} of the header is authentic`);
    }
    t.ok(datagram.length <= 1280 - 40 - 8, 'fits the smallest MTU of IPv6');
  }
  t.end();
});

// Section 2: controls.

const MALFORMED = 'malformed';
const ENDS = 'ends the flow';
type Control = Record<string, unknown>;

function greeting(control: string, body: Buffer, idAt: number | null): Control | null {
  const keyAt = 36 + (idAt === null ? 0 : 8);
  const hasKey = body.length >= 2 && (body[1] & 8) !== 0;
  if (body.length < keyAt + (hasKey ? 32 : 0)) return null;
  return {
    control,
    version: body[0],
    flags: body[1],
    maxPayload: body.readUInt16LE(2),
    nonce: body.toString('hex', 4, 36),
    connectionId: idAt === null ? null : body.toString('hex', idAt, idAt + 8),
    x25519: hasKey ? body.toString('hex', keyAt, keyAt + 32) : null,
  };
}

/** null: the body has not the length of its type. */
const READERS: Record<number, (body: Buffer) => Control | null> = {
  1: (body) => greeting('HELLO', body, null),
  2: (body) => greeting('ACCEPT', body, 36),
  3: (body) => (body.length === 0 ? { control: 'CONFIRM' } : null),
  4: (body) =>
    body.length === 12
      ? {
          control: 'NEW_CID',
          number: body.readUInt32LE(0),
          connectionId: body.toString('hex', 4),
        }
      : null,
  5: (body) =>
    body.length === 4 ? { control: 'RETIRE_CID', number: body.readUInt32LE(0) } : null,
  6: (body) =>
    body.length === 8 ? { control: 'PATH_CHALLENGE', data: body.toString('hex') } : null,
  7: (body) =>
    body.length === 8 ? { control: 'PATH_RESPONSE', data: body.toString('hex') } : null,
  8: (body) => (body.length === 0 ? { control: 'DISCONNECT' } : null),
  10: (body) =>
    body.length === 4
      ? {
          control: 'REFUSED',
          code: body.readUInt16LE(0),
          retryAfterSeconds: body.readUInt16LE(2),
        }
      : null,
};

function readControls(body: Buffer): Control[] | typeof MALFORMED | typeof ENDS {
  const controls: Control[] = [];
  let count = 0;
  for (let at = 0; at < body.length; ) {
    if (at + 2 > body.length || at + 2 + body[at + 1] > body.length) return MALFORMED;
    if (++count > 16) return MALFORMED;
    const type = body[at];
    const end = at + 2 + body[at + 1];
    const reader = READERS[type];
    if (reader !== undefined) {
      const control = reader(body.subarray(at + 2, end));
      if (control === null) return MALFORMED;
      controls.push(control);
    } else if (type < 0x80) return ENDS;
    at = end;
  }
  return controls;
}

t.test('controls are read, skipped and refused', (t) => {
  interface Vector {
    name: string;
    body: string;
    outcome: string;
    controls: Control[];
  }
  const all = vectors<Vector>('controls');
  for (const vector of all) {
    const read = readControls(bytes(vector.body));
    t.equal(typeof read === 'string' ? read : 'read', vector.outcome, vector.name);
    t.same(typeof read === 'string' ? [] : read, vector.controls, vector.name);
  }
  t.same(new Set(all.map((vector) => vector.outcome)), new Set(['read', MALFORMED, ENDS]));
  t.end();
});

// Section 6: steering.

t.test('datagrams go to the socket that the rule names', (t) => {
  interface Vector {
    workers: number;
    first: number;
    second: number;
    sourceHash: number;
    socket: number;
  }
  for (const { workers, first, second, sourceHash, socket } of vectors<Vector>('steering')) {
    const type = first & 15;
    const thread = sourceHash % workers;
    let expected = thread;
    if (type === 8 || type === 9) expected = second % workers;
    else if (first === 0) expected = workers + thread;
    t.equal(socket, expected, `${workers} workers, ${first} ${second} ${sourceHash}`);
  }
  t.end();
});
