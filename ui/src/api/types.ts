/** The JSON shapes of the API, as the contract fixes them. `npm run api` writes the generated ones beside. */

export type RunState =
  | "queued" | "running" | "waiting" | "paused" | "cancelling" | "undoing"
  | "succeeded" | "failed" | "cancelled" | "timed_out";

export type StepState =
  | "pending" | "ready" | "running" | "waiting"
  | "succeeded" | "failed" | "skipped" | "cancelled" | "undone";

export type AttemptState = "running" | "succeeded" | "failed" | "timed_out" | "lost" | "cancelled";

export type UndoState = "none" | "running" | "complete" | "incomplete";

/** RFC 3339, UTC. */
export type Instant = string;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface WaitingOn {
  kind: string;
  name?: string | null;
  since: Instant;
  until?: Instant | null;
  ahead?: number | null;
  /** A sentence a person understands. */
  detail: string;
}

export interface RunError {
  code: string;
  kind: string;
  message: string;
  step?: string | null;
  attempt?: number | null;
  retryable?: boolean;
  http_status?: number | null;
  details?: Json;
}

export interface Run {
  id: string;
  workflow: string;
  revision: string | number;
  state: RunState;
  input?: Json;
  output?: Json;
  error?: RunError | null;
  tags?: Record<string, string>;
  created_at: Instant;
  started_at?: Instant | null;
  finished_at?: Instant | null;
  trigger?: Json;
  undo: UndoState;
  waiting_on?: WaitingOn | null;
  attempts?: Json;
}

export interface Attempt {
  number: number;
  state: AttemptState;
  started_at: Instant;
  finished_at?: Instant | null;
  replica?: string | null;
  revision?: string | number | null;
  error?: RunError | null;
}

export interface Step {
  /** The path of the step in its run: `fields[3]`, `decision.else`, `account.undo`. */
  key: string;
  kind: string;
  call?: string | null;
  state: StepState;
  started_at?: Instant | null;
  finished_at?: Instant | null;
  attempts: Attempt[];
  input?: Json;
  output?: Json;
  error?: RunError | null;
  cached?: Json;
  progress?: Json;
  waiting_on?: WaitingOn | null;
  parent?: string | null;
  index?: number | null;
}

export interface HistoryEntry {
  seq: number;
  at: Instant;
  type: string;
  step?: string | null;
  attempt?: number | null;
  by?: string | null;
  data?: Json;
}

export interface LogLine {
  at: Instant;
  step: string;
  attempt: number;
  stream: string;
  line: string;
}

export interface GraphNode {
  /** The path of the step's definition: `decision.else`, `fields[].parse`. */
  id: string;
  name: string;
  kind: string;
  call?: string | null;
  for_each: boolean;
  parent: string | null;
  label?: string | null;
}

export interface GraphEdge {
  from: string;
  to: string;
  kind: "data" | "after";
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export interface Workflow {
  name: string;
  revision: string | number;
  description?: string | null;
  input?: Json;
}

export interface Service {
  name: string;
  revision?: string | number | null;
  previous_revision?: string | number | null;
  state: string;
  replicas: { desired: number; ready: number; starting: number; draining: number; failed: number };
  in_flight: number;
  queued: number;
  operations?: Json;
  rollout?: Json;
}

export interface Namespace {
  name: string;
}

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

/** RFC 9457. */
export interface ProblemBody {
  type?: string;
  title: string;
  status: number;
  detail?: string;
  code?: string;
  errors?: { path: string; code: string; message: string }[];
}

/** What `/feed` sends: the name of the SSE event and its data. */
export type FeedEvent =
  | { event: "run"; data: Run }
  | { event: "step"; data: Step & { run: string } }
  | { event: "service"; data: Service }
  | { event: "log"; data: LogLine & { run: string } };
