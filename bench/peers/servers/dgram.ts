/** Echo on bare node:dgram: a datagram is sent back as it came, nothing is parsed. */
import { serveDgramEcho } from '../../suite/servers/echo-dgram.js';

serveDgramEcho((data) => data);
