import { describe, expect, it } from "vitest";
import { appendLog, MAX_LOG_LINES, patchRun, patchRunPages, patchServices, patchSteps } from "./patch";
import type { LogLine, Run, Service, Step } from "./types";

const run = (id: string, more: Partial<Run> = {}): Run => ({
  id, workflow: "loan-application", revision: "1", state: "running", undo: "none", created_at: "2026-11-24T10:00:00Z", ...more,
});
const step = (key: string, more: Partial<Step> = {}): Step => ({ key, kind: "call", state: "running", attempts: [], ...more });
const pages = (...runs: Run[]) => [{ items: runs, next_cursor: "next" }];
const ids = (list: { items: Run[] }[]) => list.flatMap((page) => page.items.map((item) => item.id));

describe("a list of runs follows the feed", () => {
  it("changes a run in its place", () => {
    const after = patchRunPages(pages(run("b"), run("a")), run("a", { state: "succeeded" }), {});
    expect(ids(after)).toEqual(["b", "a"]);
    expect(after[0]?.items[1]?.state).toBe("succeeded");
  });

  it("puts a new run first", () => {
    expect(ids(patchRunPages(pages(run("a")), run("b", { created_at: "2026-11-24T11:00:00Z" }), {}))).toEqual(["b", "a"]);
  });

  it("does not show an old run of a later page as new", () => {
    expect(ids(patchRunPages(pages(run("b")), run("a", { created_at: "2026-11-24T09:00:00Z" }), {}))).toEqual(["b"]);
  });

  it("takes out a run that the filter no longer fits", () => {
    expect(ids(patchRunPages(pages(run("a")), run("a", { state: "failed" }), { state: "running" }))).toEqual([]);
  });

  it.each([[{ state: "failed" }], [{ workflow: "other" }], [{ q: "hanna" }]])("adds nothing that does not fit %o", (filter) => {
    expect(ids(patchRunPages(pages(), run("b"), filter))).toEqual([]);
  });
});

describe("a run follows the feed", () => {
  it("keeps an input that the feed left out", () => {
    const after = patchRun(run("a", { input: { big: true } }), run("a", { state: "succeeded", input: null, output: 1 }));
    expect(after).toMatchObject({ state: "succeeded", input: { big: true }, output: 1 });
  });

  it("takes an error away when the run goes on", () => {
    const error = { code: "E1", kind: "operation", message: "no" };
    expect(patchRun(run("a", { error }), run("a", { error: null })).error).toBeNull();
  });

  it("adds a new step and changes a known one, keeping its input", () => {
    const known = { items: [step("pages", { input: { n: 1 } })], cut: false };
    const after = patchSteps(known, [step("pages", { state: "succeeded", input: null }), step("check")]);
    expect(after.items.map((item) => [item.key, item.state])).toEqual([["pages", "succeeded"], ["check", "running"]]);
    expect(after.items[0]?.input).toEqual({ n: 1 });
    expect(known.items[0]?.state).toBe("running");
  });
});

it("applies a batch in its order", () => {
  const after = patchSteps({ items: [], cut: false }, [step("a"), step("b"), step("a", { state: "succeeded" })]);
  expect(after.items.map((item) => [item.key, item.state])).toEqual([["a", "succeeded"], ["b", "running"]]);
});

it("keeps the newest lines of a log that never ends", () => {
  const line = (n: number): LogLine => ({ at: "2026-11-24T10:00:00Z", step: "a", attempt: 1, stream: "stdout", line: String(n) });
  let page = { items: Array.from({ length: MAX_LOG_LINES }, (_, n) => line(n)) };
  page = appendLog(page, [line(MAX_LOG_LINES)]);
  expect(page.items).toHaveLength(MAX_LOG_LINES);
  expect(page.items.at(-1)?.line).toBe(String(MAX_LOG_LINES));
});

it("changes a service by name and adds a new one", () => {
  const service = (name: string, in_flight: number) => ({ name, in_flight }) as Service;
  const after = patchServices(patchServices({ items: [service("parser", 0)] }, service("parser", 3)), service("ledger", 1));
  expect(after.items.map((item) => [item.name, item.in_flight])).toEqual([["parser", 3], ["ledger", 1]]);
});
