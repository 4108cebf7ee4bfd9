import { describe, expect, it } from "vitest";
import type { Run, Step } from "../api/types";
import { sentence, verdict } from "./verdict";

const T0 = Date.parse("2026-11-24T10:00:00Z");
const after = (ms: number) => new Date(T0 + ms).toISOString();

const run = (more: Partial<Run>): Run => ({
  id: "run_1", workflow: "loan-application", revision: "sha256:1", state: "running", undo: "none",
  created_at: after(0), started_at: after(0), ...more,
});
const step = (key: string, more: Partial<Step> = {}): Step => ({ key, kind: "call", state: "running", attempts: [], ...more });
const attempt = (number: number) => ({ number, state: "failed" as const, started_at: after(0) });
const waiting = (detail: string) => ({ kind: "pool", name: "gpu", since: after(0), detail });
const error = { code: "E1", kind: "operation", message: "the model is loading\nsecond line", step: "load", attempt: 3, http_status: 503 };

describe("the verdict of a run", () => {
  it.each<[string, Run, Step[], string]>([
    ["says what runs", run({}), [step("fields[0]"), step("account")], "Running for 12 s: `fields[0]`, `account`"],
    ["names no parent of what runs", run({}), [step("fields"), step("fields[0]", { parent: "fields" })], "Running for 12 s: `fields[0]`"],
    ["names three and counts the others", run({}), ["a", "b", "c", "d", "e"].map((key) => step(key)), "Running for 12 s: `a`, `b`, `c` and 2 more"],
    ["says why it waits", run({ state: "waiting", waiting_on: waiting("pool `gpu` is full (2/2), 3 ahead of you") }), [], "Waiting 12 s: pool `gpu` is full (2/2), 3 ahead of you"],
    ["says why it is queued", run({ state: "queued", started_at: null, waiting_on: waiting("3 runs are ahead") }), [], "Queued 12 s: 3 runs are ahead"],
    ["does not invent a reason", run({ state: "waiting" }), [], "Waiting, and the server does not say why"],
    ["says where, which try and how it failed", run({ state: "failed", error }), [], "Failed at `load`, third try, HTTP 503"],
    ["leaves out a first try", run({ state: "failed", error: { ...error, attempt: 1, http_status: null } }), [], "Failed at `load`"],
    ["knows a run that failed without an error", run({ state: "failed" }), [], "Failed"],
    ["says how long a success took", run({ state: "succeeded", finished_at: after(4_250) }), [], "Succeeded in 4.2 s"],
    ["says that a cancelled run never began", run({ state: "cancelled", started_at: null }), [], "Cancelled before it began"],
    ["says after how long time was over", run({ state: "timed_out", finished_at: after(60_000) }), [], "Timed out after 1 m"],
    ["says that it undoes", run({ state: "undoing", error }), [], "Failed at `load`; undoing what was done"],
  ])("%s", (_, run, steps, expected) => {
    expect(verdict(run, steps, T0 + 12_000).headline).toBe(expected);
  });

  it.each<[Run["undo"], string | undefined]>([
    ["none", undefined],
    ["running", "What was done is being undone."],
    ["complete", "Everything that was done is undone."],
    ["incomplete", "The undo is incomplete: a step of it needs a person."],
  ])("says what became of the work: undo %s", (undo, expected) => {
    expect(verdict(run({ state: "failed", error, undo }), [], T0).next).toBe(expected);
  });

  it("counts the retries of a success", () => {
    const steps = [step("a", { state: "succeeded", attempts: [attempt(1), attempt(2)] }), step("b", { attempts: [attempt(1)] })];
    expect(verdict(run({ state: "succeeded" }), steps, T0).next).toBe("One retry: `a`.");
  });

  it("says which pass it is and what ended the one before", () => {
    const attempts = [{ number: 1, state: "failed" as const, error: { ...error, attempt: 1 } }, { number: 2, state: "succeeded" as const }];
    expect(verdict(run({ state: "succeeded", attempts }), [], T0).next).toBe("Second pass: the one before failed at `load`, HTTP 503, the model is loading.");
    expect(verdict(run({ state: "succeeded", attempts: attempts.slice(0, 1) }), [], T0).next).toBeUndefined();
  });

  it("counts what is undone so far", () => {
    const steps = [step("account", { state: "undone" }), step("account.undo", { state: "succeeded" }), step("seat.undo")];
    expect(verdict(run({ state: "undoing", error }), steps, T0).next).toBe("1 of 2 undone.");
  });

  it("puts the first line of the cause behind the headline in a list", () => {
    expect(sentence(run({ state: "failed", error }), T0)).toBe("Failed at `load`, third try, HTTP 503: the model is loading");
  });
});
