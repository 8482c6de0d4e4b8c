/** What the processes of this bench say to each other. */
import type { Driver } from '../../../src/addon/index.js';

export const PROTOCOL_ID = 0x6472697665727331n;

/** What the parent starts the process with, as JSON. */
export interface EchoSetup {
  driver: Driver;
  tickIntervalUs: number;
  threads: number;
}

export interface EchoReady {
  port: number;
  key: number[];
}

/** Since the process started. */
export interface EchoReading {
  cpuUs: number;
  turns: number;
  datagrams: number;
  lost: number;
}

/** What the parent asks for; answered by a LoadReading when it is over. */
export interface LoadOrder {
  ratePerS: number;
  seconds: number;
}

/** The first message. */
export interface LoadSetup extends EchoReady {
  flows: number;
}

export interface LoadReading {
  sent: number;
  answered: number;
  /** Microseconds. */
  p50: number;
  p99: number;
  max: number;
}
