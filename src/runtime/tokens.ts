/** Connect tokens, for the server's ticket endpoint and for backends. */
export {
  createConnectToken,
  generateKey,
  openPrivateToken,
  readConnectToken,
  sealConnectToken,
} from '../addon/index.js';
