import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useFeed } from "../api/feed";
import * as queries from "../api/queries";
import type { Run, RunState } from "../api/types";
import { ErrorMessage, Loading } from "../parts/Message";
import { useNamespace, useNow, useTitle } from "../parts/hooks";
import { isTerminal, RUN_STATES, word } from "../model/state";
import { NoRuns } from "./NoRuns";
import { RunsTable } from "./RunsTable";

const route = getRouteApi("/");

/** The states a person looks for most; the others stand behind "More". */
const COMMON: readonly RunState[] = ["running", "waiting", "succeeded", "failed"];

export function RunsPage() {
  useTitle("Runs");
  const filter = route.useSearch();
  const { namespace, known } = useNamespace();
  useFeed({ namespace, events: "run" });
  const query = useInfiniteQuery({ ...queries.runs(namespace, filter), enabled: known });
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  const now = useNow(items.some((run) => !isTerminal(run.state)));
  const filtered = Boolean(filter.state || filter.workflow || filter.q);
  return (
    <div className="page">
      <div className="page-head">
        <h1>Runs</h1>
        <Filters />
      </div>
      {query.isError && <ErrorMessage error={query.error} />}
      {query.isPending && !query.isError && <Loading what="runs" />}
      {query.isSuccess && items.length === 0 && <NoRuns filtered={filtered} namespace={namespace} />}
      {items.length > 0 && <RunsTable runs={items} now={now} />}
      {query.hasNextPage && (
        <button className="more" onClick={() => void query.fetchNextPage()} disabled={query.isFetchingNextPage}>
          {query.isFetchingNextPage ? "Loading…" : "Older runs"}
        </button>
      )}
    </div>
  );
}

type Search = { state?: string; workflow?: string; q?: string };

function Filters() {
  const search = route.useSearch();
  const { namespace, known } = useNamespace();
  const navigate = useNavigate();
  const workflows = useQuery({ ...queries.workflows(namespace), enabled: known });
  const change = (part: Search) => void navigate({ to: "/", search: (old) => ({ ...old, ...part }), replace: true });
  const rest = RUN_STATES.filter((state) => !COMMON.includes(state));
  const isRest = rest.includes(search.state as Run["state"]);
  return (
    <div className="filters" role="search">
      <div className="chips" role="group" aria-label="State">
        <Chip label="All" state={undefined} on={!search.state} />
        {COMMON.map((state) => <Chip key={state} label={word(state)} state={state} on={search.state === state} />)}
        <select
          className={isRest ? "chip on" : "chip"}
          aria-label="Other states"
          value={isRest ? search.state : ""}
          onChange={(event) => change({ state: event.target.value })}
        >
          <option value="">More</option>
          {rest.map((state) => <option key={state} value={state}>{word(state)}</option>)}
        </select>
      </div>
      <select aria-label="Workflow" value={search.workflow ?? ""} onChange={(event) => change({ workflow: event.target.value })}>
        <option value="">All workflows</option>
        {workflows.data?.items.map((workflow) => <option key={workflow.name}>{workflow.name}</option>)}
      </select>
      <SearchBox value={search.q ?? ""} onChange={(q) => change({ q })} />
    </div>
  );
}

function Chip({ label, state, on }: { label: string; state: string | undefined; on: boolean }) {
  return (
    <Link to="/" search={(old) => ({ ...old, state })} className={on ? "chip on" : "chip"} activeOptions={{ exact: true, includeSearch: true }}>
      {label}
    </Link>
  );
}

const TYPING_PAUSE_MS = 250;

function SearchBox({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  });
  return <input type="search" aria-label="Search runs" placeholder="Search" value={text} onChange={(event) => setText(event.target.value)} />;
}
