import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { useFeed } from "../api/feed";
import * as queries from "../api/queries";
import type { Run, Step } from "../api/types";
import { statuses } from "../model/graph";
import { isTerminal, word } from "../model/state";
import { duration, elapsed } from "../model/time";
import { shortRevision } from "../model/text";
import { verdict } from "../model/verdict";
import { GraphCanvas } from "../parts/GraphCanvas";
import { StateIcon } from "../parts/Icon";
import { JsonView } from "../parts/JsonView";
import { ErrorMessage, Loading } from "../parts/Message";
import { Ticked } from "../parts/Ticked";
import { useNamespace, useNow, useTitle } from "../parts/hooks";
import { printable } from "../model/text";
import { Actions } from "./Actions";
import { StepPanel } from "./StepPanel";
import { StepTimeline } from "./StepTimeline";

const route = getRouteApi("/runs/$id");

/** Often enough for bars that grow, rarely enough to cost nothing. */
const LIVE_TICK_MS = 500;
const NO_STEPS: Step[] = [];

export function RunPage() {
  const { id } = route.useParams();
  const { namespace, known } = useNamespace();
  useTitle(id);
  useFeed({ run: id, namespace });
  const run = useQuery({ ...queries.run(namespace, id), enabled: known });
  if (run.isError) return <div className="page"><ErrorMessage error={run.error} /></div>;
  if (!run.data) return <div className="page"><Loading what="the run" /></div>;
  return <LoadedRun run={run.data} namespace={namespace} />;
}

function LoadedRun({ run, namespace }: { run: Run; namespace: string | undefined }) {
  const search = route.useSearch();
  const navigate = useNavigate({ from: "/runs/$id" });
  const query = useQuery(queries.steps(namespace, run.id));
  const steps = query.data?.items ?? NO_STEPS;
  const tick = useNow(!isTerminal(run.state), LIVE_TICK_MS);
  // What has just arrived is not in the future, though the clock ticks later.
  const now = Math.max(tick, query.dataUpdatedAt);
  const select = useCallback(
    (step: string | undefined) => void navigate({ search: (old) => ({ ...old, step }), replace: true, resetScroll: false }),
    [navigate],
  );
  const selected = steps.find((step) => step.key === search.step);
  return (
    <div className={selected ? "page run with-panel" : "page run"}>
      <div className="run-main">
        <Head run={run} steps={steps} now={now} namespace={namespace} />
        <RunGraph run={run} steps={steps} now={now} namespace={namespace} selected={search.step} onSelect={select} />
        {query.isError && <ErrorMessage error={query.error} />}
        <StepTimeline run={run} steps={steps} now={now} selected={search.step} onSelect={select} />
        {query.data?.cut && <p className="quiet">The first {queries.MAX_STEPS} steps are shown; all of them: <code>consort runs show {run.id}</code></p>}
        <RunData run={run} />
      </div>
      {selected && <StepPanel key={selected.key} run={run} step={selected} now={now} namespace={namespace} onClose={() => select(undefined)} />}
    </div>
  );
}

function Head({ run, steps, now, namespace }: { run: Run; steps: Step[]; now: number; namespace: string | undefined }) {
  const { headline, cause, next } = verdict(run, steps, now);
  const queued = elapsed(run.created_at, run.started_at, now) ?? 0;
  return (
    <header className="run-head">
      <p className="crumbs">
        <Link to="/" search={(old) => ({ namespace: old.namespace })}>Runs</Link>
        <span aria-hidden="true">/</span>
        <Link to="/workflows/$name" params={{ name: run.workflow }} search={(old) => ({ namespace: old.namespace })}>{run.workflow}</Link>
        <span aria-hidden="true">/</span>
        <span className="id">{run.id}</span>
      </p>
      <div className="verdict-row">
        {/* The heading ticks; only a change of state is worth interrupting a listener for. */}
        <p className="unseen" role="status">{word(run.state)}</p>
        <h1 className="verdict">
          <StateIcon state={run.state} />
          <span><Ticked text={headline} /></span>
        </h1>
        <Actions run={run} namespace={namespace} />
      </div>
      {cause && <p className="cause">{printable(cause)}</p>}
      <p className="facts">
        {next && <span className={run.undo === "incomplete" ? "next bad" : "next"}><Ticked text={next} /></span>}
        <span>Started <time dateTime={run.created_at}>{new Date(run.created_at).toLocaleString()}</time></span>
        {queued >= QUEUED_WORTH_SAYING_MS && run.started_at && <span>queued {duration(queued)}</span>}
        {run.parent && (
          <span>
            started by <code>{run.parent.step}</code> of{" "}
            <Link to="/runs/$id" params={{ id: run.parent.run }} search={(old) => ({ namespace: old.namespace })}>{run.parent.run}</Link>
          </span>
        )}
        <span>revision <code>{shortRevision(run.revision)}</code></span>
        {Object.entries(run.tags ?? {}).map(([name, value]) => <span key={name} className="tag">{name}: {value}</span>)}
      </p>
    </header>
  );
}

const QUEUED_WORTH_SAYING_MS = 500;

interface RunGraphProps {
  run: Run;
  steps: Step[];
  now: number;
  namespace: string | undefined;
  selected: string | undefined;
  onSelect: (key: string | undefined) => void;
}

function RunGraph({ run, steps, now, namespace, selected, onSelect }: RunGraphProps) {
  const graph = useQuery(queries.graph(namespace, run.workflow, run.revision));
  const nodes = useMemo(() => graph.data && statuses(graph.data, steps), [graph.data, steps]);
  if (graph.isError) return <ErrorMessage error={graph.error} />;
  if (!graph.data || !nodes) return <section className="canvas" aria-busy="true" />;
  return (
    <GraphCanvas
      graph={graph.data}
      label="Graph of the run"
      statuses={nodes}
      now={now}
      selected={selected}
      onSelect={onSelect}
    />
  );
}

function RunData({ run }: { run: Run }) {
  return (
    <section className="run-data" aria-label="Input and output of the run">
      <div>
        <h2>Input</h2>
        <JsonView value={run.input} label="Input of the run" />
      </div>
      <div>
        <h2>Output</h2>
        <JsonView value={run.output} label="Output of the run" />
      </div>
    </section>
  );
}
