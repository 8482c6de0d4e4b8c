/** Echo on node:dgram: JSON, a datagram per message, nothing reliable, nothing encrypted. */
import { serveDgramEcho } from './echo-dgram.js';

serveDgramEcho((data) => JSON.stringify(JSON.parse(data.toString())));
