import { BaseEdge, Handle, MarkerType, Position, ReactFlow, ReactFlowProvider, type Edge, type EdgeProps, type Node, type NodeProps } from "@xyflow/react";
import { createContext, useContext, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Graph, GraphNode } from "../api/types";
import { drawn, type NodeStatus } from "../model/graph";
import { layout, path, type Direction, type Layout, type PlacedNode } from "../model/layout";
import { word } from "../model/state";
import { duration, elapsed } from "../model/time";
import { StateIcon } from "./Icon";

interface Props {
  graph: Graph;
  label: string;
  /** None for a definition that is only looked at. */
  statuses?: Map<string, NodeStatus>;
  now?: number;
  selected?: string | undefined;
  onSelect?: (key: string | undefined) => void;
}

/** Below this width the graph runs downwards. */
const NARROW_PX = 620;
const MIN_HEIGHT_PX = 130;
/** Wide graphs leave room for the steps below; downward ones need it themselves. */
const MAX_HEIGHT_PX: Record<Direction, number> = { LR: 460, TB: 680 };
const MARGIN_PX = 24;
/** More nodes than this are only drawn where they are looked at. */
const MANY_NODES = 200;

/** What the nodes show besides their place: kept out of the nodes, so that a tick of the clock moves nothing. */
type Live = Pick<Props, "statuses" | "now" | "selected" | "onSelect">;
const LiveContext = createContext<Live>({});

type StepNode = Node<{ node: GraphNode; shape: PlacedNode["shape"] }>;
type StepEdge = Edge<{ path: string }>;

const NODE_TYPES = { step: StepBox };
const EDGE_TYPES = { step: StepLine };

export function GraphCanvas({ graph, label, ...live }: Props) {
  const box = useRef<HTMLElement>(null);
  const width = useWidth(box);
  const direction: Direction = width < NARROW_PX ? "TB" : "LR";
  const shown = useMemo(() => drawn(graph), [graph]);
  const placed = useMemo(() => layout(shown, direction), [shown, direction]);
  const nodes = useMemo(() => toNodes(placed), [placed]);
  const edges = toEdges(placed, direction, live.statuses);
  const scaled = Math.min(1, (width - MARGIN_PX) / placed.width) * placed.height;
  const height = Math.min(MAX_HEIGHT_PX[direction], Math.max(MIN_HEIGHT_PX, scaled + 2 * MARGIN_PX));
  return (
    <section ref={box} className="canvas" aria-label={label} style={{ height }}>
      {width > 0 && (
        <LiveContext.Provider value={live}>
          <ReactFlowProvider>
            <ReactFlow
              key={`${direction} ${Math.round(width / 80)}`}
              nodes={nodes}
              edges={edges}
              nodeTypes={NODE_TYPES}
              edgeTypes={EDGE_TYPES}
              fitView
              fitViewOptions={{ maxZoom: 1, padding: `${MARGIN_PX}px` }}
              minZoom={0.2}
              maxZoom={1.5}
              nodesDraggable={false}
              nodesConnectable={false}
              nodesFocusable={false}
              edgesFocusable={false}
              elementsSelectable={false}
              zoomOnScroll={false}
              zoomOnDoubleClick={false}
              preventScrolling={false}
              onlyRenderVisibleElements={nodes.length > MANY_NODES}
              proOptions={{ hideAttribution: true }}
            />
          </ReactFlowProvider>
        </LiveContext.Provider>
      )}
    </section>
  );
}

function useWidth(box: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return width;
}

function toNodes({ nodes }: Layout): StepNode[] {
  const ids = new Set(nodes.map(({ node }) => node.id));
  return nodes.map(({ node, x, y, width, height, shape }) => ({
    id: node.id,
    type: "step",
    position: { x, y },
    width,
    height,
    data: { node, shape },
    ...(node.parent !== null && ids.has(node.parent) ? { parentId: node.parent } : {}),
  }));
}

function toEdges({ edges }: Layout, direction: Direction, statuses: Props["statuses"]): StepEdge[] {
  return edges.map(({ from, to, kind, points }) => {
    const dim = statuses?.get(to)?.passedBy || statuses?.get(from)?.passedBy;
    return {
      id: `${from} ${to}`,
      type: "step",
      source: from,
      target: to,
      className: `edge ${kind}${dim ? " dim" : ""}`,
      markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: "var(--edge)" },
      data: { path: path(points, direction) },
      zIndex: 1,
    };
  });
}

function StepLine({ data, markerEnd }: EdgeProps<StepEdge>) {
  return <BaseEdge path={data?.path ?? ""} {...(markerEnd ? { markerEnd } : {})} />;
}

function StepBox({ data: { node, shape } }: NodeProps<StepNode>) {
  const { statuses, selected } = useContext(LiveContext);
  const status = statuses?.get(node.id);
  const classes = [
    "node",
    shape,
    node.for_each ? "fan-out" : "",
    status?.passedBy ? "passed-by" : "",
    status?.key !== undefined && status.key === selected ? "selected" : "",
    status?.key ? `is-${status.state}` : "",
  ];
  const state = status?.passedBy ? "not-taken" : status?.state;
  return (
    <div className={classes.join(" ")} data-node={node.id} data-state={state}>
      {/* The layout says where lines end; the canvas only draws those between handles. */}
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <NodeBody node={node} status={status} />
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}

function NodeBody({ node, status }: { node: GraphNode; status: NodeStatus | undefined }) {
  const { now = 0, onSelect } = useContext(LiveContext);
  const took = status && !status.passedBy ? elapsed(status.startedAt, status.finishedAt, now) : undefined;
  const key = status?.key;
  const content = (
    <>
      {status && <StateIcon state={status.passedBy ? "skipped" : status.state} />}
      <span className="node-text">
        <span className="node-line">
          <span className="node-name">{node.name}</span>
          {took !== undefined && <span className="node-took">{duration(took)}</span>}
        </span>
        <span className="node-line">
          <span className="node-call" title={node.label ?? undefined}>{node.call ?? node.label ?? node.kind}</span>
          <Facts node={node} status={status} />
        </span>
      </span>
      {status && <span className="unseen">{status.passedBy ? "not taken" : word(status.state)}</span>}
      {status && status.items > 0 && <Strip status={status} />}
    </>
  );
  if (!onSelect || key === undefined) return <div className="node-body">{content}</div>;
  return <button className="node-body nopan" onClick={() => onSelect(key)}>{content}</button>;
}

/** What sets this node apart: how many items are done, how often it was tried, what its undo does. */
function Facts({ node, status }: { node: GraphNode; status: NodeStatus | undefined }) {
  if (status?.items) return <Counts status={status} />;
  if (status?.undo) return <span className="badge undo">{status.undo === "succeeded" ? "undone" : `undo ${word(status.undo).toLowerCase()}`}</span>;
  if (status && status.tries > 1) return <span className="badge">{status.tries} tries</span>;
  return node.for_each ? <span className="badge">each</span> : null;
}

function Counts({ status }: { status: NodeStatus }) {
  const done = status.counts.find((entry) => entry.state === "succeeded")?.count ?? 0;
  return <span className="badge" title="Items done">{done}/{status.items}</span>;
}

/** How the items of a fan-out stand, as shares of one strip. */
function Strip({ status }: { status: NodeStatus }) {
  const title = status.counts.map(({ state, count }) => `${count} ${word(state).toLowerCase()}`).join(", ");
  return (
    <span className="strip" role="img" aria-label={title} title={title}>
      {status.counts.map(({ state, count }) => <span key={state} className={`share is-${state}`} style={{ flexGrow: count }} />)}
    </span>
  );
}
