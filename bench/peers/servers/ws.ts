/** Echo on bare `ws`: a frame is sent back as the bytes it came as, nothing is parsed. */
import type * as Ws from 'ws';
import { serveWsEcho } from '../../suite/servers/echo-ws.js';
import { npmModule } from '../locks.js';

serveWsEcho(npmModule<typeof Ws>('ws').WebSocketServer, (data) => data);
