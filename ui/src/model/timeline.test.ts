import { describe, expect, it } from "vitest";
import type { Attempt, Run, Step } from "../api/types";
import { bars, scale } from "./timeline";

const T0 = Date.parse("2026-11-24T10:00:00Z");
const after = (ms: number) => new Date(T0 + ms).toISOString();
const run = (more: Partial<Run> = {}): Run => ({
  id: "run_1", workflow: "w", revision: "1", state: "succeeded", undo: "none",
  created_at: after(0), started_at: after(0), finished_at: after(1_000), ...more,
});
const step = (more: Partial<Step>): Step => ({ key: "parse", kind: "call", state: "succeeded", started_at: after(0), attempts: [], ...more });
const attempt = (number: number, state: Attempt["state"], from: number, to?: number): Attempt => ({
  number, state, started_at: after(from), finished_at: to === undefined ? null : after(to),
});
const drawn = (step: Step, now = T0 + 1_000, isParent = false) =>
  bars(step, scale(run(), [step], T0 + 1_000), now, isParent).map(({ kind, state, from, to }) => [kind, state, from, to]);

describe("the bars of a step", () => {
  it("shows each try, and the wait between two as waiting", () => {
    const attempts = [attempt(1, "failed", 100, 200), attempt(2, "succeeded", 500, 900)];
    expect(drawn(step({ started_at: after(100), finished_at: after(900), attempts }))).toEqual([
      ["attempt", "failed", 0.1, 0.2], ["waiting", "waiting", 0.2, 0.5], ["attempt", "succeeded", 0.5, 0.9],
    ]);
  });

  it("begins with the wait for a first try", () => {
    expect(drawn(step({ attempts: [attempt(1, "succeeded", 300, 500)] }))[0]).toEqual(["waiting", "waiting", 0, 0.3]);
  });

  it("lets a live try end now", () => {
    expect(drawn(step({ state: "running", attempts: [attempt(1, "running", 0)] }), T0 + 700)).toEqual([["attempt", "running", 0, 0.7]]);
  });

  it("waits for the next try until now", () => {
    const attempts = [attempt(1, "failed", 0, 200)];
    expect(drawn(step({ state: "waiting", attempts }), T0 + 800)[1]).toEqual(["waiting", "waiting", 0.2, 0.8]);
  });

  it("shows a step that waits before any try from when it began to wait", () => {
    const waiting_on = { kind: "replica", name: "parser", since: after(250), detail: "No replica is ready." };
    expect(drawn(step({ state: "waiting", started_at: null, waiting_on }), T0 + 750)).toEqual([["waiting", "waiting", 0.25, 0.75]]);
  });

  it("shows what makes no call as one thin span", () => {
    expect(drawn(step({ kind: "switch", finished_at: after(400) }))).toEqual([["span", "succeeded", 0, 0.4]]);
  });

  it("draws nothing before the step begins", () => {
    expect(drawn(step({ state: "pending", started_at: null }))).toEqual([]);
  });

  it("never draws backwards when the server's clock is ahead", () => {
    for (const bar of bars(step({ state: "running", started_at: after(500), attempts: [attempt(1, "running", 500)] }), scale(run(), [], T0), T0, false)) {
      expect(bar.to).toBeGreaterThanOrEqual(bar.from);
    }
  });

  it("marks an undo", () => {
    const undo = step({ key: "account.undo", attempts: [attempt(1, "succeeded", 0, 100)] });
    expect(bars(undo, scale(run(), [], T0), T0, false)[0]?.undo).toBe(true);
  });
});

describe("the axis", () => {
  it.each<[number, string[]]>([
    [1_000, ["0", "200 ms", "400 ms", "600 ms", "800 ms", "1 s"]],
    [19_000, ["0", "5 s", "10 s", "15 s"]],
    [7_200_000, ["0", "30 m", "1 h", "1 h 30 m", "2 h"]],
  ])("of %i ms has round marks", (span, labels) => {
    expect(scale(run({ finished_at: after(span) }), [], T0).ticks.map((tick) => tick.label)).toEqual(labels);
  });

  it("stays small for a run of years", () => {
    expect(scale(run({ finished_at: after(3e11) }), [], T0).ticks.length).toBeLessThanOrEqual(6);
  });

  it("ends now for a live run", () => {
    expect(scale(run({ finished_at: null }), [], T0 + 5_000).end).toBe(T0 + 5_000);
  });
});
