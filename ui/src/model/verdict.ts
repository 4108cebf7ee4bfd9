/** What a person wants to know first: how the run stands, why, and what happens next. */

import type { Run, RunError, Step } from "../api/types";
import { word } from "./state";
import { isUndo, tries } from "./steps";
import { duration, elapsed } from "./time";

export interface Verdict {
  /** One sentence, with step names in backticks. */
  headline: string;
  /** The service's own words, shown as they are. */
  cause?: string | undefined;
  /** What became of the work that was done, or what happens next. */
  next?: string | undefined;
}

/** `steps` may be empty (in a list): the sentence is then shorter, never wrong. */
export function verdict(run: Run, steps: readonly Step[], now: number): Verdict {
  const took = elapsed(run.started_at, run.finished_at, now);
  const span = took === undefined ? "" : duration(took);
  switch (run.state) {
    case "queued":
      return { headline: standing("Queued", run, now) };
    case "waiting":
      return { headline: standing("Waiting", run, now), next: waitingSteps(run, steps) };
    case "paused":
      return { headline: standing("Paused", run, now), ...causeOf(run) };
    case "running":
      return { headline: running(steps, span), next: join(pass(run), retried(steps)) };
    case "cancelling":
      return { headline: "Cancelling: what runs now may still finish", ...causeOf(run), next: undoing(steps) };
    case "undoing":
      return { headline: undoHeadline(run), ...causeOf(run), next: undoing(steps) };
    case "succeeded":
      return { headline: span ? `Succeeded in ${span}` : "Succeeded", next: join(pass(run), retried(steps)) };
    case "failed":
      return { headline: failed(run.error), ...causeOf(run), next: join(pass(run), undoResult(run)) };
    case "cancelled":
      return { headline: span ? `Cancelled after ${span}` : "Cancelled before it began", ...causeOf(run), next: undoResult(run) };
    case "timed_out":
      return { headline: span ? `Timed out after ${span}` : "Timed out", ...causeOf(run), next: undoResult(run) };
  }
}

/** For a row of a list, where the duration has a column of its own: the headline, and the cause behind a colon. */
export function sentence(run: Run, now: number): string {
  if (run.state === "running" || run.state === "succeeded") return word(run.state);
  const { headline, cause } = verdict(run, [], now);
  return cause ? `${headline}: ${firstLine(cause)}` : headline;
}

function standing(state: string, run: Run, now: number): string {
  const waiting = run.waiting_on;
  if (!waiting) return `${state}, and the server does not say why`;
  const since = elapsed(waiting.since, undefined, now);
  return `${state}${since === undefined ? "" : ` ${duration(since)}`}: ${waiting.detail}`;
}

function waitingSteps(run: Run, steps: readonly Step[]): string | undefined {
  const others = steps.filter((step) => step.state === "waiting" && step.waiting_on && step.waiting_on.detail !== run.waiting_on?.detail);
  return others.length ? `${others.length} more ${others.length === 1 ? "step waits" : "steps wait"} for something else.` : undefined;
}

function running(steps: readonly Step[], span: string): string {
  const parents = new Set(steps.map((step) => step.parent));
  const names = steps.filter((step) => step.state === "running" && !parents.has(step.key)).map((step) => step.key);
  const head = span ? `Running for ${span}` : "Running";
  return names.length ? `${head}: ${list(names)}` : head;
}

function failed(error: RunError | null | undefined): string {
  if (!error) return "Failed";
  const where = error.step ? ` at \`${error.step}\`` : "";
  const nth = error.attempt && error.attempt > 1 ? `, ${ordinal(error.attempt)} try` : "";
  const http = error.http_status ? `, HTTP ${error.http_status}` : "";
  return `Failed${where}${nth}${http}`;
}

const causeOf = (run: Run): { cause?: string } => (run.error ? { cause: run.error.message } : {});

function undoHeadline(run: Run): string {
  return run.error?.step ? `Failed at \`${run.error.step}\`; undoing what was done` : "Undoing what was done";
}

function undoing(steps: readonly Step[]): string | undefined {
  const undos = steps.filter((step) => isUndo(step.key));
  if (!undos.length) return undefined;
  const done = undos.filter((step) => step.state === "succeeded").length;
  return `${done} of ${undos.length} undone.`;
}

function undoResult(run: Run): string | undefined {
  switch (run.undo) {
    case "none":
      return undefined;
    case "running":
      return "What was done is being undone.";
    case "complete":
      return "Everything that was done is undone.";
    case "incomplete":
      return "The undo is incomplete: a step of it needs a person.";
  }
}

/** A workflow that was tried again as a whole: which pass this is, and what ended the one before. */
function pass(run: Run): string | undefined {
  const last = run.attempts?.at(-1);
  const before = run.attempts?.at(-2);
  if (!last || !before) return undefined;
  const why = before.error ? `: the one before ${lowerFirst(failed(before.error))}, ${firstLine(before.error.message)}` : "";
  return `${upperFirst(ordinal(last.number))} pass${why}.`;
}

const join = (...sentences: (string | undefined)[]): string | undefined => sentences.filter(Boolean).join(" ") || undefined;
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function retried(steps: readonly Step[]): string | undefined {
  const again = steps.filter((step) => tries(step) > 1);
  if (!again.length) return undefined;
  const count = again.reduce((sum, step) => sum + tries(step) - 1, 0);
  return `${count === 1 ? "One retry" : `${count} retries`}: ${list(again.map((step) => step.key))}.`;
}

const LISTED = 3;

function list(names: readonly string[]): string {
  const shown = names.slice(0, LISTED).map((name) => `\`${name}\``).join(", ");
  return names.length > LISTED ? `${shown} and ${names.length - LISTED} more` : shown;
}

function ordinal(n: number): string {
  return ["", "first", "second", "third", "fourth", "fifth"][n] ?? `${n}th`;
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? text;
