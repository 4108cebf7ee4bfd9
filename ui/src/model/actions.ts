/** What a person may do with a run, and what it leads to. */

import type { Run, RunState } from "../api/types";

export type ActionName = "cancel" | "pause" | "resume" | "retry" | "undo" | "rerun";

export interface Action {
  name: ActionName;
  label: string;
  /** What will happen, before it happens. */
  effect: string;
  /** Asked first when work may be lost or undone. */
  confirm: boolean;
}

const ACTIONS: Record<ActionName, Action> = {
  pause: { name: "pause", label: "Pause", effect: "No new step starts; what runs now finishes.", confirm: false },
  resume: { name: "resume", label: "Resume", effect: "The run goes on where it stands.", confirm: false },
  retry: { name: "retry", label: "Retry", effect: "The failed steps run again; what succeeded stays.", confirm: false },
  rerun: { name: "rerun", label: "Run again", effect: "Starts a new run with the same input.", confirm: false },
  undo: { name: "undo", label: "Undo", effect: "Undoes the completed steps that have an undo, the last one first.", confirm: true },
  cancel: {
    name: "cancel", label: "Cancel", confirm: true,
    effect: "Nothing new starts. What was done is undone where the workflow says how. This cannot be taken back.",
  },
};

const NAMES: Record<RunState, readonly ActionName[]> = {
  queued: ["pause", "cancel"],
  running: ["pause", "cancel"],
  waiting: ["pause", "cancel"],
  paused: ["resume", "retry", "cancel"],
  cancelling: [],
  undoing: [],
  succeeded: ["rerun", "undo"],
  failed: ["rerun", "undo"],
  cancelled: ["rerun", "undo"],
  timed_out: ["rerun", "undo"],
};

export function actionsFor(run: Run): Action[] {
  const undoLeft = run.undo === "none" || run.undo === "incomplete";
  const fits = (name: ActionName) => {
    if (name === "undo") return undoLeft;
    // Paused because a step failed: `resume` would be refused, the steps are tried again instead.
    if (name === "retry") return run.error != null;
    if (name === "resume") return run.error == null;
    return true;
  };
  return NAMES[run.state].filter(fits).map((name) => ACTIONS[name]);
}
