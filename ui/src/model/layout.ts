/** Places the nodes of a graph: each container is laid out by itself, then stands as one box in its own surroundings. */

import { graphlib, layout as place } from "@dagrejs/dagre";
import type { Graph, GraphNode } from "../api/types";

export type Direction = "LR" | "TB";

export interface Placed {
  node: GraphNode;
  /** Relative to the container, as the canvas wants it. */
  x: number;
  y: number;
  width: number;
  height: number;
  isContainer: boolean;
}

export interface Layout {
  /** Containers before what they hold. */
  placed: Placed[];
  width: number;
  height: number;
}

export const NODE_WIDTH = 196;
export const NODE_HEIGHT = 58;
const CONTAINER_HEAD = 40;
const CONTAINER_PAD = 12;
const GAP = 22;
const RANK_GAP = 48;

export function layout(graph: Graph, direction: Direction): Layout {
  const children = new Map<string | null, GraphNode[]>();
  const parents = new Map<string, string | null>();
  const ids = new Set(graph.nodes.map((node) => node.id));
  for (const node of graph.nodes) {
    const parent = node.parent !== null && ids.has(node.parent) ? node.parent : null;
    parents.set(node.id, parent);
    children.set(parent, [...(children.get(parent) ?? []), node]);
  }
  return level(null, { graph, children, parents, direction });
}

interface Context {
  graph: Graph;
  children: Map<string | null, GraphNode[]>;
  parents: Map<string, string | null>;
  direction: Direction;
}

function level(container: string | null, context: Context): Layout {
  const nodes = context.children.get(container) ?? [];
  const inner = new Map(nodes.filter((node) => context.children.has(node.id)).map((node) => [node.id, level(node.id, context)]));
  const sheet = new graphlib.Graph();
  sheet.setGraph({ rankdir: context.direction, nodesep: GAP, ranksep: RANK_GAP });
  sheet.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) sheet.setNode(node.id, size(inner.get(node.id)));
  for (const edge of context.graph.edges) {
    const from = ancestorIn(container, edge.from, context.parents);
    const to = ancestorIn(container, edge.to, context.parents);
    if (from && to && from !== to) sheet.setEdge(from, to);
  }
  place(sheet);
  return gather(nodes, inner, sheet, container !== null);
}

function gather(nodes: GraphNode[], inner: Map<string, Layout>, sheet: graphlib.Graph, inContainer: boolean): Layout {
  const left = inContainer ? CONTAINER_PAD : 0;
  const top = inContainer ? CONTAINER_HEAD : 0;
  const placed: Placed[] = [];
  let width = 0;
  let height = 0;
  for (const node of nodes) {
    // dagre gives the middle of a box, the canvas wants its corner.
    const box = sheet.node(node.id) as { x: number; y: number; width: number; height: number };
    const x = box.x - box.width / 2 + left;
    const y = box.y - box.height / 2 + top;
    const below = inner.get(node.id);
    placed.push({ node, x, y, width: box.width, height: box.height, isContainer: below !== undefined });
    if (below) placed.push(...below.placed);
    width = Math.max(width, x + box.width);
    height = Math.max(height, y + box.height);
  }
  return { placed, width, height };
}

function size(inner: Layout | undefined): { width: number; height: number } {
  if (!inner) return { width: NODE_WIDTH, height: NODE_HEIGHT };
  return { width: inner.width + CONTAINER_PAD, height: inner.height + CONTAINER_PAD };
}

/** The box on this level that holds the node, if any: an edge to something inside a box is an edge to the box. */
function ancestorIn(container: string | null, id: string, parents: Map<string, string | null>): string | undefined {
  let at: string | null | undefined = id;
  while (at != null) {
    const parent = parents.get(at);
    if (parent === undefined) return undefined;
    if (parent === container) return at;
    at = parent;
  }
  return undefined;
}
