/** The graph of a definition, and how a run colours it. */

import type { Graph, GraphNode, Step, StepState } from "../api/types";
import { countStates, isTerminal, standsFor } from "./state";
import { isUndo, tries } from "./steps";

export interface NodeStatus {
  state: StepState;
  /** The items of a fan-out by state; empty for a single step. */
  counts: { state: StepState; count: number }[];
  items: number;
  tries: number;
  startedAt?: string | undefined;
  finishedAt?: string | undefined;
  /** What its undo did, once there is one. */
  undo?: StepState | undefined;
  /** A branch that the run did not choose, or a step whose `when` was false. */
  passedBy: boolean;
  /** The step that stands for the node when a person chooses it. */
  key?: string | undefined;
}

/**
 * The node that a step belongs to: `fields[3]` is the node `fields[]` or `fields`, `pick[0]` the node `pick[0]`.
 * Undefined for a step that the definition does not draw.
 */
export function nodeOf(key: string, ids: ReadonlySet<string>): string | undefined {
  let prefixes = [""];
  let found: string | undefined;
  for (const part of key.split(/\.(?![^[]*\])/)) {
    const bare = part.replace(/\[[^\]]*\]$/, "");
    const names = bare === part ? [part] : [part, `${bare}[]`, bare];
    prefixes = prefixes.flatMap((prefix) => names.map((name) => (prefix ? `${prefix}.${name}` : name)));
    prefixes = prefixes.slice(0, MAX_PREFIXES);
    found = prefixes.find((id) => ids.has(id)) ?? found;
  }
  return found;
}

/** Keys nest a few levels; more spellings than this are never a node. */
const MAX_PREFIXES = 27;

export function statuses(graph: Graph, steps: readonly Step[]): Map<string, NodeStatus> {
  const ids = new Set(graph.nodes.map((node) => node.id));
  const byNode = new Map<string, Step[]>();
  const undos = new Map<string, Step>();
  for (const step of steps) {
    const id = nodeOf(step.key, ids);
    if (id === undefined) continue;
    if (isUndo(step.key) && !isUndo(id)) undos.set(id, step);
    else if (byNode.has(id)) byNode.get(id)!.push(step);
    else byNode.set(id, [step]);
  }
  const out = new Map<string, NodeStatus>();
  for (const node of graph.nodes) out.set(node.id, status(node, byNode.get(node.id) ?? [], undos.get(node.id)));
  for (const node of graph.nodes) markUntaken(node, out);
  return out;
}

function status(node: GraphNode, steps: readonly Step[], undo: Step | undefined): NodeStatus {
  const self = steps.find((step) => step.key === node.id);
  const items = steps.filter((step) => step !== self);
  const state = self?.state ?? standsFor(items.map((step) => step.state));
  return {
    state,
    counts: countStates(items.map((step) => step.state)),
    items: items.length,
    tries: steps.reduce((most, step) => Math.max(most, tries(step)), 0),
    startedAt: self?.started_at ?? items[0]?.started_at ?? undefined,
    finishedAt: self?.finished_at ?? undefined,
    undo: undo?.state,
    passedBy: state === "skipped",
    key: self?.key ?? items[0]?.key,
  };
}

/** A branch that has no step of its own once its switch is over was not taken. */
function markUntaken(node: GraphNode, all: Map<string, NodeStatus>) {
  const own = all.get(node.id);
  const above = node.parent === null ? undefined : all.get(node.parent);
  if (!own || !above) return;
  if (above.passedBy || (own.key === undefined && isTerminal(above.state))) own.passedBy = true;
}

/** The nodes that are drawn: a fan-out over one call is one node, not a box around another. */
export function drawn(graph: Graph): Graph {
  const ids = new Set(graph.nodes.map((node) => node.id));
  const folded = new Map<string, string>();
  for (const node of graph.nodes) {
    if (node.id.endsWith("[]") && node.parent !== null && ids.has(node.parent)) folded.set(node.id, node.parent);
  }
  if (!folded.size) return graph;
  const keep = (id: string) => folded.get(id) ?? id;
  return {
    ...graph,
    nodes: graph.nodes
      .filter((node) => !folded.has(node.id))
      .map((node) => (node.parent === null ? node : { ...node, parent: keep(node.parent) })),
    edges: graph.edges
      .map((edge) => ({ ...edge, from: keep(edge.from), to: keep(edge.to) }))
      .filter((edge) => edge.from !== edge.to),
  };
}
