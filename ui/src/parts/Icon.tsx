import type { ReactNode } from "react";
import { tone, word, type AnyState } from "../model/state";

const circle = <circle cx="8" cy="8" r="6.25" />;
const back = <path d="M6.5 4.5 3.5 7.5l3 3M4 7.5h5.2a2.9 2.9 0 0 1 0 5.8H7.5" />;

/** Each state has a shape of its own: colour is never the only sign. */
const SHAPES: Record<AnyState, ReactNode> = {
  queued: <><path d="M3 4.5h10M3 8h10M3 11.5h6" /></>,
  pending: <circle cx="8" cy="8" r="6.25" strokeDasharray="2 2.4" />,
  ready: <>{circle}<circle cx="8" cy="8" r="1.8" fill="currentColor" stroke="none" /></>,
  running: <path className="spin" d="M8 1.75A6.25 6.25 0 1 1 1.75 8" />,
  waiting: <>{circle}<path d="M8 4.5V8l2.4 1.6" /></>,
  paused: <>{circle}<path d="M6.4 5.8v4.4M9.6 5.8v4.4" /></>,
  cancelling: <>{circle}<path d="m3.8 12.2 8.4-8.4" strokeDasharray="2 2" /></>,
  undoing: back,
  undone: back,
  succeeded: <><circle cx="8" cy="8" r="7" fill="currentColor" stroke="none" /><path className="knockout" d="m5 8.2 2.1 2.1L11 6" /></>,
  failed: <><circle cx="8" cy="8" r="7" fill="currentColor" stroke="none" /><path className="knockout" d="m5.6 5.6 4.8 4.8M10.4 5.6l-4.8 4.8" /></>,
  cancelled: <>{circle}<path d="m3.8 12.2 8.4-8.4" /></>,
  timed_out: <><circle cx="8" cy="8" r="7" fill="currentColor" stroke="none" /><path className="knockout" d="M8 4.3V8l2.4 1.6" /></>,
  lost: <>{circle}<path d="M6.4 6.3a1.7 1.7 0 1 1 2.4 1.6c-.6.3-.8.6-.8 1.2M8 11.3v.1" /></>,
  skipped: <path d="M3 8h8M8.5 5 11.5 8l-3 3M13.5 4.5v7" />,
};

/** Decorative: the word of the state always stands beside it, visible or for screen readers. */
export function StateIcon({ state }: { state: AnyState }) {
  return (
    <svg className={`icon tone-${tone(state)}`} viewBox="0 0 16 16" aria-hidden="true">
      {SHAPES[state] ?? circle}
    </svg>
  );
}

export function StateLabel({ state, quiet }: { state: AnyState; quiet?: string }) {
  return (
    <span className={`state tone-${tone(state)}`}>
      <StateIcon state={state} />
      <span className={quiet ?? ""}>{word(state)}</span>
    </span>
  );
}

export function Chevron({ open }: { open: boolean }) {
  return (
    <svg className={open ? "chevron open" : "chevron"} viewBox="0 0 16 16" aria-hidden="true">
      <path d="m6 4 4 4-4 4" />
    </svg>
  );
}
