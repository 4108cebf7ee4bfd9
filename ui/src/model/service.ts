import type { Service } from "../api/types";
import type { Tone } from "./state";

/** Judged by its replicas, so that it is right whatever word the server uses for the state. */
export function serviceTone({ replicas, state }: Service): Tone {
  if (replicas.failed > 0 || state === "failed") return "bad";
  if (replicas.starting > 0 || replicas.draining > 0 || replicas.ready < replicas.desired) return "wait";
  return replicas.desired === 0 ? "quiet" : "ok";
}

/** `2 of 2 ready`, then only what is not zero. */
export function replicaWords({ desired, ready, starting, draining, failed }: Service["replicas"]): string {
  if (desired + ready + starting + draining + failed === 0) return "none needed";
  const rest = [[starting, "starting"], [draining, "draining"], [failed, "failed"]] as const;
  return [`${ready} of ${desired} ready`, ...rest.filter(([count]) => count > 0).map(([count, name]) => `${count} ${name}`)].join(", ");
}
