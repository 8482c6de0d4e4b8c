/** Clocks for stretches so short that reading them shows. */

/** Reads a clock; figures are differences of two readings. */
export type Meter = () => number;

const CALIBRATION_READINGS = 10_000;

/** Readings of `read`, without what the reading itself adds. */
export function calibrated(read: Meter): Meter {
  for (let index = 0; index < CALIBRATION_READINGS; index += 1) read();
  const before = read();
  for (let index = 1; index < CALIBRATION_READINGS; index += 1) read();
  const own = (read() - before) / CALIBRATION_READINGS;
  let readings = 0;
  return () => {
    readings += 1;
    return read() - readings * own;
  };
}

/** CPU time of the process, ns: wall time would count what else the machine does. */
export function readCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}
