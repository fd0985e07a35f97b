const forbidden = (what: string) => (): never => {
  throw new Error(`${what} in a simulated world: the run could not be repeated`);
};

/**
 * Makes this machine's time and chance unusable, so that nothing of a run can depend on them unnoticed. Returns what gives
 * them back.
 */
export function noTimeButTheWorlds(): () => void {
  const bigint = process.hrtime.bigint.bind(process.hrtime);
  const { random } = Math;
  const { now } = Date;
  const timers = { setTimeout, setInterval, setImmediate };
  process.hrtime.bigint = forbidden('process.hrtime');
  Math.random = forbidden('Math.random');
  Date.now = forbidden('Date.now');
  Object.assign(globalThis, {
    setTimeout: forbidden('setTimeout'),
    setInterval: forbidden('setInterval'),
    setImmediate: forbidden('setImmediate'),
  });
  return () => {
    process.hrtime.bigint = bigint;
    Math.random = random;
    Date.now = now;
    Object.assign(globalThis, timers);
  };
}
