// Everything generated code imports, in one module; a game's own generated code gets it from the
// package.
export * from './flat.js';
export { BODY_BYTES_MAX, type MessageType } from './types.js';
export * from './values.js';
