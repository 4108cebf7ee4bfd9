/** Places the nodes of a graph: each container is laid out by itself, then stands as one box in its own surroundings. */

import { graphlib, layout as place } from "@dagrejs/dagre";
import type { Graph, GraphEdge, GraphNode } from "../api/types";

export type Direction = "LR" | "TB";

export interface Point {
  x: number;
  y: number;
}

export interface PlacedNode extends Point {
  node: GraphNode;
  /** `x` and `y` are relative to the container, as the canvas wants it. */
  width: number;
  height: number;
  /** A container has a head and a body, a branch is one line, everything else has two. */
  shape: "container" | "branch" | "plain";
}

/** An edge between two boxes of one level; what goes to something inside a box ends at the box. */
export interface PlacedEdge {
  from: string;
  to: string;
  kind: GraphEdge["kind"];
  /** On the canvas, from the side of one box to the side of the other, around what lies between. */
  points: Point[];
}

export interface Layout {
  /** Containers before what they hold. */
  nodes: PlacedNode[];
  edges: PlacedEdge[];
  width: number;
  height: number;
}

const NODE_WIDTH = 172;
const NODE_HEIGHT = 54;
/** A branch is one line with its condition, which needs the room. */
const BRANCH_WIDTH = 216;
const BRANCH_HEIGHT = 32;
const CONTAINER_HEAD = 38;
const CONTAINER_PAD = 12;
const GAP = 20;
const BRANCH_GAP = 6;
const RANK_GAP = 38;
/** Pulls every step without a predecessor to the beginning, where it starts. */
const ROOT = "(root)"; // No step can have this name.
const ROOT_PULL = 3;

interface Context {
  graph: Graph;
  children: Map<string | null, GraphNode[]>;
  parents: Map<string, string | null>;
  direction: Direction;
}

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

function level(container: string | null, context: Context): Layout {
  const nodes = context.children.get(container) ?? [];
  const inner = new Map(nodes.filter((node) => context.children.has(node.id)).map((node) => [node.id, level(node.id, context)]));
  const edges = edgesOf(container, context);
  const sheet = new graphlib.Graph();
  sheet.setGraph({ rankdir: context.direction, nodesep: GAP, ranksep: RANK_GAP });
  sheet.setDefaultEdgeLabel(() => ({}));
  const isStack = container !== null && !edges.length;
  for (const node of nodes) sheet.setNode(node.id, size(inner.get(node.id), isStack));
  if (isStack) stack(sheet);
  else rank(sheet, nodes, edges);
  return gather({ nodes, inner, edges, sheet, direction: context.direction, inContainer: container !== null, isStack });
}

/** Branches do not follow each other: they stand below each other, in the order of the file. */
function stack(sheet: graphlib.Graph) {
  let y = 0;
  for (const id of sheet.nodes()) {
    const box = sheet.node(id) as Box;
    sheet.setNode(id, { ...box, x: box.width / 2, y: y + box.height / 2 });
    y += box.height + BRANCH_GAP;
  }
}

function rank(sheet: graphlib.Graph, nodes: GraphNode[], edges: GraphEdge[]) {
  for (const { from, to } of edges) sheet.setEdge(from, to);
  const targets = new Set(edges.map((edge) => edge.to));
  sheet.setNode(ROOT, { width: 0, height: 0 });
  for (const node of nodes) if (!targets.has(node.id)) sheet.setEdge(ROOT, node.id, { weight: ROOT_PULL });
  place(sheet);
}

/** The edges between boxes of this level, each pair once; data says more than order. */
function edgesOf(container: string | null, { graph, parents }: Context): GraphEdge[] {
  const found = new Map<string, GraphEdge>();
  for (const edge of graph.edges) {
    const from = ancestorIn(container, edge.from, parents);
    const to = ancestorIn(container, edge.to, parents);
    if (from === undefined || to === undefined || from === to) continue;
    const pair = `${from} ${to}`;
    if (edge.kind === "data" || !found.has(pair)) found.set(pair, { from, to, kind: edge.kind });
  }
  return [...found.values()];
}

/** The box on this level that is the node or holds it. */
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

interface Sheet {
  nodes: GraphNode[];
  inner: Map<string, Layout>;
  edges: GraphEdge[];
  sheet: graphlib.Graph;
  direction: Direction;
  inContainer: boolean;
  isStack: boolean;
}

/** dagre gives the middles of boxes; the canvas wants corners, from the top left of the container. */
function gather({ nodes, inner, edges, sheet, direction, inContainer, isStack }: Sheet): Layout {
  const boxes = new Map(nodes.map((node) => [node.id, sheet.node(node.id) as Box]));
  const all = [...boxes.values()];
  const dx = (inContainer ? CONTAINER_PAD : 0) - Math.min(...all.map((box) => box.x - box.width / 2));
  const dy = (inContainer ? CONTAINER_HEAD : 0) - Math.min(...all.map((box) => box.y - box.height / 2));
  const out: Layout = { nodes: [], edges: [], width: 0, height: 0 };
  for (const node of nodes) {
    const box = boxes.get(node.id)!;
    const x = box.x - box.width / 2 + dx;
    const y = box.y - box.height / 2 + dy;
    const below = inner.get(node.id);
    const shape = below ? "container" : isStack ? "branch" : "plain";
    out.nodes.push({ node, x, y, width: box.width, height: box.height, shape });
    if (below) {
      out.nodes.push(...below.nodes);
      out.edges.push(...below.edges.map((edge) => ({ ...edge, points: edge.points.map((point) => shift(point, x, y)) })));
    }
    out.width = Math.max(out.width, x + box.width);
    out.height = Math.max(out.height, y + box.height);
  }
  for (const edge of edges) {
    const middle = (sheet.edge(edge.from, edge.to) as { points: Point[] }).points.slice(1, -1);
    const [start, end] = ends(boxes.get(edge.from)!, boxes.get(edge.to)!, direction);
    // With no box between there is nothing to go around, and dagre's single bend would only wobble.
    const points = middle.length > 1 ? [start, ...middle, end] : [start, end];
    out.edges.push({ ...edge, points: points.map((point) => shift(point, dx, dy)) });
  }
  return out;
}

interface Box extends Point {
  width: number;
  height: number;
}

const shift = (point: Point, dx: number, dy: number): Point => ({ x: point.x + dx, y: point.y + dy });

function ends(from: Box, to: Box, direction: Direction): [Point, Point] {
  return direction === "LR"
    ? [{ x: from.x + from.width / 2, y: from.y }, { x: to.x - to.width / 2, y: to.y }]
    : [{ x: from.x, y: from.y + from.height / 2 }, { x: to.x, y: to.y - to.height / 2 }];
}

function size(inner: Layout | undefined, isStack: boolean): { width: number; height: number } {
  if (!inner) return isStack ? { width: BRANCH_WIDTH, height: BRANCH_HEIGHT } : { width: NODE_WIDTH, height: NODE_HEIGHT };
  return { width: inner.width + CONTAINER_PAD, height: inner.height + CONTAINER_PAD };
}

/** A smooth line through the points that leaves and enters each of them along the direction of the graph. */
export function path(points: readonly Point[], direction: Direction): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let d = `M${first.x},${first.y}`;
  let last = first;
  for (const point of rest) {
    const mid = direction === "LR" ? (last.x + point.x) / 2 : (last.y + point.y) / 2;
    d += direction === "LR"
      ? `C${mid},${last.y} ${mid},${point.y} ${point.x},${point.y}`
      : `C${last.x},${mid} ${point.x},${mid} ${point.x},${point.y}`;
    last = point;
  }
  return d;
}
