/**
 * Close codes are those of WebSocket (RFC 6455 §7.4.1) on both wires: RL1 CLOSE carries the same
 * u16. 4001 is this runtime's own.
 */
export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_PROTOCOL_ERROR = 1002;
/** Reported, never sent: the peer vanished. */
export const CLOSE_ABNORMAL = 1006;
export const CLOSE_POLICY_VIOLATION = 1008;
export const CLOSE_TOO_BIG = 1009;
export const CLOSE_INTERNAL_ERROR = 1011;
export const CLOSE_TRY_AGAIN_LATER = 1013;
/** Both ends registered the same type id with another layout. */
export const CLOSE_SCHEMA_MISMATCH = 4001;
/**
 * A browser gave its WebSocket up without the session having ended: it may not send 1006, nor cut a
 * connection. For the server it is as if the link had died.
 */
export const CLOSE_LINK_LOST = 4006;
