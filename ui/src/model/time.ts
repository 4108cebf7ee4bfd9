/** Durations and moments in words. All durations are in milliseconds. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Two units at most: `840 ms`, `4.2 s`, `1 m 12 s`, `2 h 5 m`, `3 d 4 h`. */
export function duration(ms: number): string {
  const value = Math.max(0, ms);
  if (value < SECOND) return `${Math.round(value)} ms`;
  if (value < 10 * SECOND) return `${(Math.floor(value / 100) / 10).toFixed(1)} s`;
  if (value < MINUTE) return `${Math.floor(value / SECOND)} s`;
  if (value < HOUR) return pair(value, MINUTE, "m", SECOND, "s");
  if (value < DAY) return pair(value, HOUR, "h", MINUTE, "m");
  return pair(value, DAY, "d", HOUR, "h");
}

function pair(ms: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % big) / small);
  const head = `${Math.floor(ms / big)} ${bigUnit}`;
  return rest ? `${head} ${rest} ${smallUnit}` : head;
}

export function at(instant: string | null | undefined): number | undefined {
  if (!instant) return undefined;
  const value = Date.parse(instant);
  return Number.isNaN(value) ? undefined : value;
}

/** From start to finish, or to now while it goes on; undefined before the start. */
export function elapsed(from: string | null | undefined, to: string | null | undefined, now: number): number | undefined {
  const start = at(from);
  return start === undefined ? undefined : Math.max(0, (at(to) ?? now) - start);
}

export function ago(instant: string, now: number): string {
  const then = at(instant);
  if (then === undefined) return instant;
  const past = now - then;
  if (past < 5 * SECOND) return "just now";
  if (past < MINUTE) return `${Math.floor(past / SECOND)} s ago`;
  if (past < HOUR) return `${Math.floor(past / MINUTE)} m ago`;
  if (past < DAY) return `${Math.floor(past / HOUR)} h ago`;
  return `${Math.floor(past / DAY)} d ago`;
}

/** `14:20:05`, in the reader's own time zone. */
export function clock(instant: string): string {
  const then = at(instant);
  return then === undefined ? instant : new Date(then).toLocaleTimeString([], { hour12: false });
}
