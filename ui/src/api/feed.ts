/** The live feed: one SSE connection while a page wants it, batched per frame into the query cache. */

import { useQueryClient, type InfiniteData, type QueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { isTerminal } from "../model/state";
import { address, type Query } from "./client";
import { appendLog, patchRun, patchRunPages, patchServices, patchSteps } from "./patch";
import { keys, type RunFilter, type Steps } from "./queries";
import type { FeedEvent, LogLine, Page, Run, Service, Step } from "./types";

export type FeedStatus = "off" | "connecting" | "live" | "lost";

const EVENTS = ["run", "step", "service", "log"] as const;
/** A browser retries a cut stream by itself, but gives up for good on an HTTP error; then we wait this long. */
const REOPEN_AFTER_MS = 3_000;
/** Hidden tabs get no frames: their events are applied at this pace. */
const HIDDEN_FLUSH_MS = 500;

let status: FeedStatus = "off";
const listeners = new Set<() => void>();

function setStatus(next: FeedStatus) {
  if (status === next) return;
  status = next;
  for (const listener of listeners) listener();
}

export function useFeedStatus(): FeedStatus {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => status,
  );
}

/** Keeps the cache in step with the server while the calling component is shown. */
export function useFeed(scope: Query) {
  const client = useQueryClient();
  const url = address("/feed", scope);
  useEffect(() => openFeed(url, (events) => apply(client, events), () => catchUp(client)), [client, url]);
}

/** Asks once for what may have happened while nobody listened. A graph never changes. */
function catchUp(client: QueryClient) {
  return client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "graph" });
}

function openFeed(url: string, onEvents: (events: FeedEvent[]) => void, onOpen: () => void): () => void {
  let source: EventSource;
  let reopen: ReturnType<typeof setTimeout> | undefined;
  const batch = batcher(onEvents);

  const connect = () => {
    source = new EventSource(url);
    source.onopen = () => {
      onOpen();
      setStatus("live");
    };
    source.onerror = () => {
      setStatus("lost");
      if (source.readyState === EventSource.CLOSED) reopen = setTimeout(connect, REOPEN_AFTER_MS);
    };
    for (const event of EVENTS) {
      source.addEventListener(event, (message: MessageEvent<string>) => {
        batch.push({ event, data: JSON.parse(message.data) } as FeedEvent);
      });
    }
  };

  setStatus("connecting");
  connect();
  return () => {
    clearTimeout(reopen);
    source.close();
    batch.stop();
    setStatus("off");
  };
}

/** Collects events and hands them over once per frame, so that a burst costs one render. */
function batcher(flush: (events: FeedEvent[]) => void) {
  let waiting: FeedEvent[] = [];
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    timer = undefined;
    const events = waiting;
    waiting = [];
    if (events.length) flush(events);
  };
  return {
    push(event: FeedEvent) {
      waiting.push(event);
      if (timer) return;
      frame = requestAnimationFrame(run);
      timer = setTimeout(run, HIDDEN_FLUSH_MS);
    },
    stop() {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    },
  };
}

/** Many steps and lines of one batch cost one change of the cache: a fan-out sends them by the hundred. */
function apply(client: QueryClient, events: FeedEvent[]) {
  const steps = new Map<string, Step[]>();
  const lines = new Map<string, LogLine[]>();
  for (const { event, data } of events) {
    switch (event) {
      case "run":
        applyRun(client, data);
        break;
      case "step":
        add(steps, data.run, data);
        break;
      case "service":
        client.setQueriesData<Page<Service>>({ queryKey: keys.services }, (known) => known && patchServices(known, data));
        break;
      case "log":
        add(lines, JSON.stringify(keys.logs(data.run, data.step)), data);
        break;
    }
  }
  for (const [run, batch] of steps) client.setQueryData<Steps>(keys.steps(run), (known) => known && patchSteps(known, batch));
  for (const [key, batch] of lines) {
    client.setQueryData<Page<LogLine>>(JSON.parse(key) as string[], (known) => known && appendLog(known, batch));
  }
}

function add<T>(groups: Map<string, T[]>, key: string, item: T) {
  const group = groups.get(key);
  if (group) group.push(item);
  else groups.set(key, [item]);
}

function applyRun(client: QueryClient, event: Run) {
  const before = client.getQueryData<Run>(keys.run(event.id));
  client.setQueryData<Run>(keys.run(event.id), (known) => known && patchRun(known, event));
  if (before && isTerminal(event.state) && !isTerminal(before.state)) {
    // The feed leaves out what is large: a finished run is read once as a whole.
    void client.invalidateQueries({ queryKey: keys.run(event.id) });
    void client.invalidateQueries({ queryKey: keys.steps(event.id) });
  }
  for (const query of client.getQueryCache().findAll({ queryKey: ["runs"] })) {
    const filter = query.queryKey[1] as RunFilter;
    client.setQueryData<InfiniteData<Page<Run>>>(
      query.queryKey,
      (known) => known && { ...known, pages: patchRunPages(known.pages, event, filter) },
    );
  }
}
