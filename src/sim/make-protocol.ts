import { Protocol, type ProtocolOptions } from '../protocol/protocol.js';

/** Makes the Protocol under test of a node; canaries plant their bugs here. */
export type MakeProtocol = (options: ProtocolOptions, node: number) => Protocol;

export const makeProtocol: MakeProtocol = (options) => new Protocol(options);
