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

export interface RunTrigger {
  kind: "api" | "schedule" | "event" | "webhook" | "files" | "run" | "rerun";
  /** Of the trigger; the step key for a child run. */
  name?: string | null;
  /** The parent of a child run, the original of a rerun. */
  run?: string | null;
}

/** One pass over the steps of a run. */
export interface RunPass {
  number: number;
  state: RunState;
  started_at?: Instant | null;
  finished_at?: Instant | null;
  error?: RunError | null;
}

export interface Run {
  id: string;
  namespace?: string;
  workflow: string;
  revision: string;
  state: RunState;
  input?: Json;
  output?: Json;
  error?: RunError | null;
  tags?: Record<string, string>;
  created_at: Instant;
  started_at?: Instant | null;
  finished_at?: Instant | null;
  trigger?: RunTrigger | null;
  /** The step of another run that it is a child of. */
  parent?: { run: string; step: string } | null;
  undo: UndoState;
  waiting_on?: WaitingOn | null;
  attempts?: RunPass[];
}

export interface Attempt {
  number: number;
  state: AttemptState;
  started_at: Instant;
  finished_at?: Instant | null;
  replica?: string | null;
  revision?: string | null;
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
  /** The run that its output was copied from, by a rerun. */
  copied_from?: string | null;
  /** Whether it took the result of an earlier call, and whose, or why not. */
  cached?: { hit: boolean; run?: string; step?: string; at?: Instant; expires_at?: Instant; why?: string } | null;
  /** How far the call says that it is: from 0 to 1, and in its own words. */
  progress?: { fraction?: number | null; message?: string | null; at: Instant } | null;
  waiting_on?: WaitingOn | null;
  /** The run that it started. */
  child?: string | null;
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
  stream: "stdout" | "stderr" | "system";
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
  revision: string;
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export interface Workflow {
  name: string;
  revision: string;
  description?: string | null;
  /** JSON Schema. */
  input?: Json;
  updated_at?: Instant;
}

export interface Service {
  name: string;
  kind: "process" | "exec" | "image" | "url";
  revision?: string | null;
  previous_revision?: string | null;
  state: "starting" | "ready" | "idle" | "degraded" | "failed" | "stopping";
  /** Why it is not ready, what is done about it. */
  detail?: string | null;
  replicas: { desired: number; ready: number; starting: number; draining: number; failed: number };
  in_flight: number;
  queued: number;
  operations: Record<string, Json>;
  rollout?: { revision: string; from?: string | null; state: string; started_at: Instant; detail?: string | null } | null;
}

/** A question that waits for an answer. */
export interface Approval {
  namespace: string;
  run: string;
  workflow: string;
  step: string;
  ask: string;
  show?: Json;
  /** JSON Schema. */
  form: Json;
  to?: Json;
  since: Instant;
  until?: Instant | null;
}

/** Something that does not go on without a person. */
export interface Incident {
  kind: string;
  namespace: string;
  run: string;
  workflow: string;
  step: string;
  since: Instant;
  error: RunError;
  detail: string;
  actions: { name: string; effect: string; command: string }[];
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
