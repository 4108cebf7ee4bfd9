import type { Service } from "../api/types";
import type { Tone } from "./state";

const TONES: Record<Service["state"], Tone> = {
  starting: "wait", ready: "ok", idle: "quiet", degraded: "wait", failed: "bad", stopping: "wait",
};

export const serviceTone = ({ state }: Service): Tone => TONES[state] ?? "quiet";

/** `2 of 2 ready`, then only what is not zero; for what has no replicas, what there is instead. */
export function replicaWords({ kind, replicas: { desired, ready, starting, draining, failed } }: Service): string {
  if (kind === "exec") return "a process per call";
  if (kind === "url") return "elsewhere";
  if (desired + ready + starting + draining + failed === 0) return "none needed";
  const rest = [[starting, "starting"], [draining, "draining"], [failed, "failed"]] as const;
  return [`${ready} of ${desired} ready`, ...rest.filter(([count]) => count > 0).map(([count, name]) => `${count} ${name}`)].join(", ");
}
