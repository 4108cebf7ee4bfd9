import { describe, expect, it } from "vitest";
import type { Graph, GraphNode, Step, StepState } from "../api/types";
import { drawn, nodeOf, statuses } from "./graph";
import { layout, path } from "./layout";

const node = (id: string, more: Partial<GraphNode> = {}): GraphNode => ({ id, name: id, kind: "call", for_each: false, parent: null, ...more });
const step = (key: string, state: StepState, more: Partial<Step> = {}): Step => ({ key, kind: "call", state, attempts: [], ...more });

const LOAN: Graph = {
  revision: "1",
  nodes: [
    node("pages"), node("fields", { for_each: true }), node("account"), node("check"),
    node("decision", { kind: "switch" }), node("decision[0]", { parent: "decision" }), node("decision.else", { parent: "decision" }),
    node("notice"),
  ],
  edges: [
    { from: "pages", to: "fields", kind: "data" }, { from: "fields", to: "check", kind: "data" },
    { from: "check", to: "decision[0]", kind: "data" }, { from: "check", to: "decision.else", kind: "after" },
    { from: "decision", to: "notice", kind: "data" }, { from: "account", to: "notice", kind: "after" },
  ],
};

describe("the node of a step", () => {
  const ids = new Set(["fields", "tables[]", "tables[].load", "pick", "pick[0]", "pick.else", "group", "group.inner"]);
  it.each<[string, string | undefined]>([
    ["fields", "fields"],
    ["fields[3]", "fields"],
    ["tables[users]", "tables[]"],
    ["tables[public.users].load", "tables[].load"],
    ["pick[0]", "pick[0]"],
    ["pick[1]", "pick"],
    ["pick.else", "pick.else"],
    ["group.inner", "group.inner"],
    ["group.inner.undo", "group.inner"],
    ["finally.tell", undefined],
  ])("%s is drawn as %s", (key, expected) => {
    expect(nodeOf(key, ids)).toBe(expected);
  });
});

describe("what a run says about its nodes", () => {
  it("counts the items of a fan-out on one node", () => {
    const items = [step("fields", "running"), step("fields[0]", "succeeded", { index: 0 }), step("fields[1]", "running", { index: 1 })];
    const fields = statuses(LOAN, items).get("fields");
    expect(fields).toMatchObject({ state: "running", items: 2, key: "fields" });
    expect(fields?.counts).toEqual([{ state: "succeeded", count: 1 }, { state: "running", count: 1 }]);
  });

  it("marks the branch that was not taken, only once the switch is over", () => {
    const taken = step("decision[0]", "succeeded");
    const before = statuses(LOAN, [step("decision", "running"), taken]);
    const after = statuses(LOAN, [step("decision", "succeeded"), taken]);
    expect(before.get("decision.else")?.passedBy).toBe(false);
    expect(after.get("decision.else")?.passedBy).toBe(true);
    expect(after.get("decision[0]")?.passedBy).toBe(false);
  });

  it("keeps the undo apart from the step that it undoes", () => {
    const account = statuses(LOAN, [step("account", "undone"), step("account.undo", "succeeded")]).get("account");
    expect(account).toMatchObject({ state: "undone", undo: "succeeded", key: "account", items: 0 });
  });

  it("leaves what has not begun pending, without a step to choose", () => {
    expect(statuses(LOAN, []).get("notice")).toMatchObject({ state: "pending", key: undefined, passedBy: false });
  });
});

describe("the graph as it is drawn", () => {
  it("folds the body of a fan-out into its node", () => {
    const graph: Graph = { revision: "1", nodes: [node("a", { for_each: true }), node("a[]", { parent: "a" }), node("a[].x", { parent: "a[]" })], edges: [{ from: "a", to: "a[]", kind: "data" }] };
    expect(drawn(graph).nodes.map((node) => [node.id, node.parent])).toEqual([["a", null], ["a[].x", "a"]]);
    expect(drawn(graph).edges).toEqual([]);
  });
});

describe("the layout", () => {
  const at = (id: string, direction: "LR" | "TB" = "LR") => layout(LOAN, direction).nodes.find((placed) => placed.node.id === id)!;

  it("runs from left to right, or downwards where it is narrow", () => {
    expect(at("pages").x).toBeLessThan(at("fields").x);
    expect(at("pages", "TB").y).toBeLessThan(at("fields", "TB").y);
  });

  it("begins with every step that waits for none", () => {
    expect(at("account").x).toBe(at("pages").x);
  });

  it("holds branches inside their switch, below each other", () => {
    const [box, first, other] = [at("decision"), at("decision[0]"), at("decision.else")];
    expect([box.shape, first.shape, other.shape]).toEqual(["container", "branch", "branch"]);
    for (const inner of [first, other]) {
      expect(inner.x).toBeGreaterThan(0);
      expect(inner.x + inner.width).toBeLessThan(box.width);
      expect(inner.y + inner.height).toBeLessThan(box.height);
    }
    expect(first.x).toBe(other.x);
    expect(Math.abs(first.y - other.y)).toBeGreaterThanOrEqual(first.height);
  });

  it("lets an edge to a branch end at the switch, once, as data", () => {
    const edges = layout(LOAN, "LR").edges.filter((edge) => edge.from === "check");
    expect(edges.map(({ to, kind }) => [to, kind])).toEqual([["decision", "data"]]);
  });

  it.each(["LR", "TB"] as const)("places no node on another: %s", (direction) => {
    const top = layout(LOAN, direction).nodes.filter((placed) => placed.node.parent === null);
    for (const a of top) for (const b of top) {
      if (a === b) continue;
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      expect(apart, `${a.node.id} and ${b.node.id}`).toBe(true);
    }
  });

  it("survives an empty graph, a cycle and a parent that is missing", () => {
    expect(layout({ revision: "1", nodes: [], edges: [] }, "LR").nodes).toEqual([]);
    const odd: Graph = { revision: "1", nodes: [node("a"), node("b"), node("c", { parent: "gone" })], edges: [{ from: "a", to: "b", kind: "data" }, { from: "b", to: "a", kind: "data" }, { from: "x", to: "a", kind: "data" }] };
    expect(layout(odd, "LR").nodes).toHaveLength(3);
  });

  it("draws a line that leaves along the direction", () => {
    expect(path([{ x: 0, y: 0 }, { x: 10, y: 20 }], "LR")).toBe("M0,0C5,0 5,20 10,20");
    expect(path([{ x: 0, y: 0 }, { x: 10, y: 20 }], "TB")).toBe("M0,0C0,10 10,10 10,20");
  });
});
