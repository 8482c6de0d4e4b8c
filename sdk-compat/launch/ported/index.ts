/** The ported contract tests, in the order of the table in sdk-compat/README.md. */

import type { ContractTest } from './case.js';
import { ERROR_TABLE } from './errors.js';
import { BODY_CAP, DEADLINES } from './limits.js';
import { READ_AFTER_PUSH, SOCKET_FIRST } from './matches.js';
import { CLOSE_TABLE, FRAME_TYPES, TERMINAL_READ } from './realtime.js';
import { CLOSE_TWICE, HOOK_AND_READS } from './reconnects.js';
import { HEADERS, QUERY_ORDER, STABLE_REQUEST_ID } from './requests.js';
import { NO_UNSAFE_RETRY, RETRY_AFTER } from './retries.js';
import { ONE_REFRESH, RETRY_AFTER_401, SIGNING_IN } from './sessions.js';
import { BASE_URL, REDIRECTS } from './urls.js';

export const CONTRACT_TESTS: readonly ContractTest[] = [
  HEADERS,
  QUERY_ORDER,
  ERROR_TABLE,
  STABLE_REQUEST_ID,
  NO_UNSAFE_RETRY,
  RETRY_AFTER,
  BODY_CAP,
  REDIRECTS,
  DEADLINES,
  BASE_URL,
  SIGNING_IN,
  ONE_REFRESH,
  RETRY_AFTER_401,
  SOCKET_FIRST,
  READ_AFTER_PUSH,
  FRAME_TYPES,
  TERMINAL_READ,
  CLOSE_TABLE,
  HOOK_AND_READS,
  CLOSE_TWICE,
];
