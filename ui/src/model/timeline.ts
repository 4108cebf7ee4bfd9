/** Where the bars of the timeline stand. Pure geometry: fractions of the width, 0 at the start, 1 at the end. */

import type { AttemptState, Run, Step, StepState } from "../api/types";
import { word } from "./state";
import { isUndo } from "./steps";
import { at, duration } from "./time";

export interface Bar {
  /** `span` is the whole of a step that makes no call of its own; `waiting` is time in which nobody worked. */
  kind: "attempt" | "waiting" | "span";
  state: AttemptState | StepState;
  undo: boolean;
  from: number;
  to: number;
  title: string;
}

export interface Scale {
  start: number;
  end: number;
  ticks: { at: number; label: string }[];
}

const UNITS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000,
];
const MAX_TICKS = 5;

/** Long enough to hold the run and each of its steps; a live one ends now. */
export function scale(run: Run, steps: readonly Step[], now: number): Scale {
  const start = at(run.started_at) ?? at(run.created_at) ?? now;
  const ends = steps.map((step) => at(step.finished_at) ?? (step.started_at || step.waiting_on ? now : start));
  const live = run.finished_at ? at(run.finished_at)! : now;
  const end = Math.max(start + 1, live, ...(run.finished_at ? ends.filter((end) => end <= live) : ends));
  return { start, end, ticks: ticks(end - start) };
}

function ticks(span: number): Scale["ticks"] {
  const last = UNITS_MS[UNITS_MS.length - 1]!;
  const unit = UNITS_MS.find((unit) => span / unit <= MAX_TICKS) ?? last * Math.ceil(span / last / MAX_TICKS);
  const out = [];
  for (let ms = 0; ms <= span; ms += unit) out.push({ at: ms / span, label: ms === 0 ? "0" : duration(ms).replace(".0 ", " ") });
  return out;
}

export function bars(step: Step, { start, end }: Scale, now: number, isParent: boolean): Bar[] {
  const place = (ms: number) => Math.min(1, Math.max(0, (ms - start) / (end - start)));
  const undo = isUndo(step.key);
  // The server's clock may be ahead of the browser's: a bar never ends before it begins.
  const make = (kind: Bar["kind"], state: Bar["state"], from: number, to: number, title: string): Bar => ({
    kind, state, undo, from: place(from), to: Math.max(place(from), place(to)), title: `${title}, ${duration(to - from)}`,
  });
  const waits = step.state === "waiting" || step.state === "ready";
  const began = at(step.started_at) ?? at(step.attempts[0]?.started_at) ?? (waits ? at(step.waiting_on?.since) : undefined);
  if (began === undefined) return [];
  const ended = at(step.finished_at) ?? now;
  if (isParent || step.attempts.length === 0) {
    return [make(waits ? "waiting" : "span", step.state, began, ended, word(step.state))];
  }
  const out: Bar[] = [];
  let reached = began;
  for (const attempt of step.attempts) {
    const from = at(attempt.started_at) ?? reached;
    const to = at(attempt.finished_at) ?? now;
    if (from > reached) out.push(make("waiting", "waiting", reached, from, attempt.number > 1 ? "Waiting for the next try" : "Waiting"));
    out.push(make("attempt", attempt.state, from, to, `Try ${attempt.number}: ${word(attempt.state).toLowerCase()}`));
    reached = Math.max(reached, to);
  }
  if (step.state === "waiting" && now > reached) out.push(make("waiting", "waiting", reached, now, "Waiting"));
  return out;
}
