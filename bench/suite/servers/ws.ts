/** Echo on what a Node game does today: bare `ws`, JSON, a text frame per message. */
import { WebSocketServer } from 'ws';
import { serveWsEcho } from './echo-ws.js';

serveWsEcho(WebSocketServer, (data) => JSON.stringify(JSON.parse(String(data))));
