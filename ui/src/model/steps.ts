/** The tree of steps, from their keys and parents. */

import type { Step } from "../api/types";

export interface StepRow {
  step: Step;
  depth: number;
  /** What is shown in the row: the last part of the key. */
  name: string;
  children: number;
  open: boolean;
}

/** A fan-out up to this size is open from the start; a larger one shows its counts. */
export const OPEN_UP_TO = 12;

export const isUndo = (key: string): boolean => /(^|\.)undo(\.|$|\[)/.test(key);

export const tries = (step: Step): number => step.attempts.length;

/** `toggled` holds the keys whose rows stand in the other state than by default. */
export function rows(steps: readonly Step[], toggled: ReadonlySet<string>): StepRow[] {
  const children = new Map<string | null, Step[]>();
  const known = new Set(steps.map((step) => step.key));
  for (const step of steps) {
    const parent = step.parent && known.has(step.parent) ? step.parent : null;
    const list = children.get(parent);
    if (list) list.push(step);
    else children.set(parent, [step]);
  }
  const out: StepRow[] = [];
  const visit = (parent: string | null, depth: number) => {
    for (const step of ordered(children.get(parent) ?? [])) {
      const below = children.get(step.key)?.length ?? 0;
      const open = below > 0 && below <= OPEN_UP_TO !== toggled.has(step.key);
      out.push({ step, depth, name: leafName(step.key, parent), children: below, open });
      if (open) visit(step.key, depth + 1);
    }
  };
  visit(null, 0);
  return out;
}

/** Items by index; a large fan-out shows first what is not plain success, so that nobody searches for it. */
function ordered(steps: Step[]): Step[] {
  const isFanOut = steps.some((step) => step.index != null);
  if (!isFanOut) return steps;
  const byIndex = steps.slice().sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
  if (byIndex.length <= OPEN_UP_TO) return byIndex;
  return [...byIndex.filter(isOutlier), ...byIndex.filter((step) => !isOutlier(step))];
}

const isOutlier = (step: Step): boolean => step.state === "failed" || step.state === "running" || tries(step) > 1;

export function leafName(key: string, parent: string | null | undefined): string {
  if (!parent || !key.startsWith(parent)) return key;
  return key.slice(parent.length).replace(/^\./, "") || key;
}
