/** How each state reads: its word, its tone and whether it still moves. The shape of its icon is in `parts/Icon.tsx`. */

import type { AttemptState, RunState, StepState } from "../api/types";

export type AnyState = RunState | StepState | AttemptState;
export type Tone = "ok" | "bad" | "active" | "wait" | "undo" | "quiet";

const WORDS: Record<AnyState, readonly [word: string, tone: Tone]> = {
  queued: ["Queued", "wait"],
  pending: ["Pending", "quiet"],
  ready: ["Ready", "wait"],
  running: ["Running", "active"],
  waiting: ["Waiting", "wait"],
  paused: ["Paused", "wait"],
  cancelling: ["Cancelling", "undo"],
  undoing: ["Undoing", "undo"],
  succeeded: ["Succeeded", "ok"],
  failed: ["Failed", "bad"],
  cancelled: ["Cancelled", "quiet"],
  timed_out: ["Timed out", "bad"],
  lost: ["Lost", "bad"],
  skipped: ["Skipped", "quiet"],
  undone: ["Undone", "undo"],
};

export const RUN_STATES: readonly RunState[] = [
  "queued", "running", "waiting", "paused", "cancelling", "undoing", "succeeded", "failed", "cancelled", "timed_out",
];

export const word = (state: AnyState): string => WORDS[state]?.[0] ?? state;
export const tone = (state: AnyState): Tone => WORDS[state]?.[1] ?? "quiet";

const TERMINAL: ReadonlySet<string> = new Set(["succeeded", "failed", "cancelled", "timed_out", "skipped", "undone", "lost"]);

export const isTerminal = (state: AnyState): boolean => TERMINAL.has(state);

/** The state that stands for many: what needs a person first, what is finished last. */
const WEIGHT: readonly StepState[] = [
  "failed", "running", "waiting", "ready", "pending", "undone", "cancelled", "succeeded", "skipped",
];

export function standsFor(states: readonly StepState[]): StepState {
  return WEIGHT.find((state) => states.includes(state)) ?? "pending";
}

export function countStates(states: readonly StepState[]): { state: StepState; count: number }[] {
  const order: StepState[] = ["succeeded", "undone", "skipped", "cancelled", "failed", "running", "waiting", "ready", "pending"];
  return order
    .map((state) => ({ state, count: states.filter((other) => other === state).length }))
    .filter((entry) => entry.count > 0);
}
