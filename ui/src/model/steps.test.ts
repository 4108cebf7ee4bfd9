import { describe, expect, it } from "vitest";
import type { Step } from "../api/types";
import { isUndo, leafName, OPEN_UP_TO, rows } from "./steps";
import { gist, printable, shortId } from "./text";
import { duration } from "./time";

const step = (key: string, more: Partial<Step> = {}): Step => ({ key, kind: "call", state: "succeeded", attempts: [], ...more });
const fanOut = (count: number, more: (i: number) => Partial<Step> = () => ({})): Step[] => [
  step("fields"),
  ...Array.from({ length: count }, (_, i) => step(`fields[${i}]`, { parent: "fields", index: i, ...more(i) })),
];
const shown = (steps: Step[], toggled: string[] = []) => rows(steps, new Set(toggled)).map((row) => `${"  ".repeat(row.depth)}${row.name}`);

describe("the list of steps", () => {
  it("stands as a tree, items in order", () => {
    const [parent, first, second] = fanOut(2);
    expect(shown([parent!, second!, first!, step("check")])).toEqual(["fields", "  [0]", "  [1]", "check"]);
  });

  it("closes a large fan-out, and opens it on demand", () => {
    const many = fanOut(OPEN_UP_TO + 1);
    expect(shown(many)).toEqual(["fields"]);
    expect(shown(many, ["fields"])).toHaveLength(OPEN_UP_TO + 2);
    expect(shown(fanOut(3), ["fields"])).toEqual(["fields"]);
  });

  it("puts first what went wrong among many", () => {
    const many = fanOut(40, (i) => (i === 33 ? { state: "failed" } : {}));
    expect(shown(many, ["fields"])[1]).toBe("  [33]");
  });

  it("shows a step whose parent is not loaded", () => {
    expect(shown([step("fields[7]", { parent: "fields" })])).toEqual(["fields[7]"]);
  });
});

it.each([["decision.else", "decision", "else"], ["fields[3]", "fields", "[3]"], ["a", null, "a"], ["odd", "other", "odd"]])(
  "%s inside %s is called %s", (key, parent, expected) => expect(leafName(key, parent)).toBe(expected),
);

it.each([["account.undo", true], ["undo", true], ["fields[2].undo", true], ["undoable", false], ["a.undone", false]])(
  "%s is an undo: %s", (key, expected) => expect(isUndo(key)).toBe(expected),
);

it.each([[0, "0 ms"], [840, "840 ms"], [4_250, "4.2 s"], [59_999, "59 s"], [72_000, "1 m 12 s"], [7_500_000, "2 h 5 m"], [273_600_000, "3 d 4 h"], [-5, "0 ms"]])(
  "%i ms reads %s", (ms, expected) => expect(duration(ms)).toBe(expected),
);

it.each([
  ["colours of a terminal", "\u001b[31mred\u001b[0m", "red"],
  ["a link of a terminal", "\u001b]8;;http://x\u0007text", "text"],
  ["marks that reorder", "a\u202eb", "a\ufffdb"],
  ["a bell", "a\u0007b", "a\ufffdb"],
  ["markup, which is only text", "<b>x</b>", "<b>x</b>"],
  ["tabs and lines", "a\tb\r\nc", "a\tb\nc"],
])("shows %s as text", (_, text, expected) => expect(printable(text)).toBe(expected));

it.each<[Parameters<typeof gist>[0], string]>([
  [{ applicant: "hanna", document: { artifact: "sha256:1", name: "stub.pdf", size: 1 }, declared: 50000, more: "x" }, "hanna, stub.pdf, 50000"],
  [{ approved: true }, "approved: true"],
  [{ nested: { deep: 1 }, list: [1] }, ""],
  ["x".repeat(40), `${"x".repeat(31)}…`],
  [null, ""],
])("%o in a few words is %s", (value, expected) => expect(gist(value)).toBe(expected));

it("tells two runs of one moment apart", () => {
  expect(shortId("run_019a4c2e7b9f798f02c16bd9d1c40aaa")).toBe("run_…d1c40aaa");
  expect(shortId("run_1")).toBe("run_1");
});
