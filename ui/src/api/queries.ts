import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get } from "./client";
import type { Approval, Graph, Incident, LogLine, Namespace, Page, Run, Service, Step, Workflow } from "./types";

/** One page of a list; more comes when a person asks for it. */
const PAGE_SIZE = 50;
/** The server's own limit for one page. */
const MAX_PAGE_SIZE = 500;
/** Steps held by one page of the browser: beyond it the list says that there are more. */
export const MAX_STEPS = 4 * MAX_PAGE_SIZE;

export interface RunFilter {
  workflow?: string | undefined;
  state?: string | undefined;
  q?: string | undefined;
}

export interface Steps {
  items: Step[];
  /** There are more than `MAX_STEPS`. */
  cut: boolean;
}

/** Every query of the page, by name. The keys are what the feed patches: see `patch.ts`. */
export const keys = {
  runs: (filter: RunFilter) => ["runs", filter] as const,
  run: (id: string) => ["run", id] as const,
  steps: (id: string) => ["steps", id] as const,
  logs: (id: string, step: string) => ["logs", id, step] as const,
  services: ["services"] as const,
  approvals: ["approvals"] as const,
  incidents: ["incidents"] as const,
};

export const namespaces = queryOptions({
  queryKey: ["namespaces"],
  queryFn: ({ signal }) => get<Page<Namespace>>("/namespaces", { limit: MAX_PAGE_SIZE }, signal),
  staleTime: 60_000,
});

export const runs = (namespace: string | undefined, filter: RunFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.runs(filter), namespace],
    queryFn: ({ pageParam, signal }) =>
      get<Page<Run>>("/runs", { ...filter, namespace, limit: PAGE_SIZE, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

export const recentRuns = (namespace: string | undefined, workflow: string, limit: number) =>
  queryOptions({
    queryKey: ["recent-runs", workflow, limit, namespace],
    queryFn: ({ signal }) => get<Page<Run>>("/runs", { namespace, workflow, limit }, signal),
    refetchInterval: 5_000,
  });

export const run = (namespace: string | undefined, id: string) =>
  queryOptions({
    queryKey: keys.run(id),
    queryFn: ({ signal }) => get<Run>(`/runs/${encodeURIComponent(id)}`, { namespace }, signal),
  });

export const steps = (namespace: string | undefined, id: string) =>
  queryOptions({
    queryKey: keys.steps(id),
    queryFn: ({ signal }) => allSteps(namespace, id, signal),
  });

async function allSteps(namespace: string | undefined, id: string, signal: AbortSignal): Promise<Steps> {
  const items: Step[] = [];
  let cursor: string | undefined;
  do {
    const query = { namespace, limit: MAX_PAGE_SIZE, cursor };
    const page = await get<Page<Step>>(`/runs/${encodeURIComponent(id)}/steps`, query, signal);
    items.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor && items.length < MAX_STEPS);
  return { items, cut: cursor !== undefined };
}

export const logs = (namespace: string | undefined, id: string, step: string) =>
  queryOptions({
    queryKey: keys.logs(id, step),
    queryFn: ({ signal }) =>
      get<Page<LogLine>>(`/runs/${encodeURIComponent(id)}/logs`, { namespace, step, limit: MAX_PAGE_SIZE }, signal),
  });

export const workflows = (namespace: string | undefined) =>
  queryOptions({
    queryKey: ["workflows", namespace],
    queryFn: ({ signal }) => get<Page<Workflow>>("/workflows", { namespace, limit: MAX_PAGE_SIZE }, signal),
  });

export const workflow = (namespace: string | undefined, name: string) =>
  queryOptions({
    queryKey: ["workflow", name, namespace],
    queryFn: ({ signal }) => get<Workflow>(`/workflows/${encodeURIComponent(name)}`, { namespace }, signal),
  });

/** A revision's graph never changes, so it is asked for once. */
export const graph = (namespace: string | undefined, name: string, revision: string | undefined) =>
  queryOptions({
    queryKey: ["graph", name, revision, namespace],
    queryFn: ({ signal }) =>
      get<Graph>(`/workflows/${encodeURIComponent(name)}/graph`, { namespace, revision }, signal),
    staleTime: revision === undefined ? 0 : Infinity,
  });

export const services = (namespace: string | undefined) =>
  queryOptions({
    queryKey: [...keys.services, namespace],
    queryFn: ({ signal }) => get<Page<Service>>("/services", { namespace, limit: MAX_PAGE_SIZE }, signal),
  });

/** How often the page asks anew for what waits for a person. */
const PEOPLE_EVERY_MS = 3_000;

export const approvals = (namespace: string | undefined) =>
  queryOptions({
    queryKey: [...keys.approvals, namespace],
    queryFn: ({ signal }) => get<Page<Approval>>("/approvals", { namespace, limit: PAGE_SIZE }, signal),
    refetchInterval: PEOPLE_EVERY_MS,
  });

export const incidents = (namespace: string | undefined) =>
  queryOptions({
    queryKey: [...keys.incidents, namespace],
    queryFn: ({ signal }) => get<Page<Incident>>("/incidents", { namespace, limit: PAGE_SIZE }, signal),
    refetchInterval: PEOPLE_EVERY_MS,
  });
