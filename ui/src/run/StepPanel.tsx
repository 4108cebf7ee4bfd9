import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Json, Run, RunError, Step } from "../api/types";
import { isTerminal } from "../model/state";
import { printable } from "../model/text";
import { clock, duration, elapsed } from "../model/time";
import { StateIcon, StateLabel } from "../parts/Icon";
import { JsonView } from "../parts/JsonView";
import { AnswerForm } from "../people/AnswerForm";
import { Logs } from "./Logs";

const route = getRouteApi("/runs/$id");

interface Props {
  run: Run;
  step: Step;
  now: number;
  namespace: string | undefined;
  onClose: () => void;
}

const TABS = ["data", "logs"] as const;
const TAB_LABELS: Record<(typeof TABS)[number], string> = { data: "Data", logs: "Logs" };

/** All about the chosen step. Escape closes it. */
export function StepPanel({ run, step, now, namespace, onClose }: Props) {
  const { tab } = route.useSearch();
  const took = elapsed(step.started_at, step.finished_at, now);
  return (
    <aside className="panel" aria-label={`Step ${step.key}`} onKeyDown={(event) => event.key === "Escape" && onClose()}>
      <header>
        <h2><StateIcon state={step.state} /> {step.key}</h2>
        <button className="plain close" aria-label="Close the panel" onClick={onClose}>✕</button>
      </header>
      <p className="facts">
        <StateLabel state={step.state} />
        {step.call && <code>{step.call}</code>}
        {!step.call && <span>{step.kind}</span>}
        {took !== undefined && <span>{duration(took)}</span>}
        {step.child && <Link to="/runs/$id" params={{ id: step.child }} search={(old) => ({ namespace: old.namespace })}>{step.child}</Link>}
      </p>
      {step.waiting_on && !isTerminal(step.state) && <p className="message">{step.waiting_on.detail}</p>}
      {asks(step) && <AnswerForm run={run.id} step={step.key} form={questionOf(step)["form"]} namespace={namespace} />}
      {step.copied_from && (
        <p className="message">
          Copied from <Link to="/runs/$id" params={{ id: step.copied_from }} search={{ namespace }}>the run before</Link>; it did not run again.
        </p>
      )}
      {step.error && <StepError error={step.error} />}
      <nav className="tabs" aria-label="Step">
        {TABS.map((name) => (
          <Link
            key={name}
            to="/runs/$id"
            from="/runs/$id"
            search={(old) => ({ ...old, tab: name === "data" ? undefined : name })}
            replace
            resetScroll={false}
            activeOptions={{ exact: true, includeSearch: true }}
          >
            {TAB_LABELS[name]}
          </Link>
        ))}
      </nav>
      {tab === "logs" ? <Logs run={run} step={step} namespace={namespace} /> : <Data step={step} now={now} />}
    </aside>
  );
}

/** What an approval asks: `{ask, show, form}`. */
const questionOf = (step: Step): Record<string, Json> => (typeof step.input === "object" && step.input !== null && !Array.isArray(step.input) ? step.input : {});

const asks = (step: Step): boolean => !isTerminal(step.state) && step.waiting_on?.kind === "approval";

function Data({ step, now }: { step: Step; now: number }) {
  return (
    <>
      {step.attempts.length > 0 && <Section title="Attempts"><Attempts step={step} now={now} /></Section>}
      <Section title="Input"><JsonView value={step.input} label={`Input of ${step.key}`} /></Section>
      <Section title="Output"><JsonView value={step.output} label={`Output of ${step.key}`} /></Section>
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Attempts({ step, now }: { step: Step; now: number }) {
  return (
    <ol className="attempts">
      {step.attempts.map((attempt) => (
        <li key={attempt.number}>
          <p>
            <span className="number">{attempt.number}</span>
            <StateLabel state={attempt.state} />
            <span className="quiet">{clock(attempt.started_at)}</span>
            <span>{duration(elapsed(attempt.started_at, attempt.finished_at, now) ?? 0)}</span>
            {attempt.replica && <code title="Replica">{attempt.replica}</code>}
          </p>
          {attempt.error && <p className="attempt-error">{errorLine(attempt.error)}</p>}
        </li>
      ))}
    </ol>
  );
}

function StepError({ error }: { error: RunError }) {
  return (
    <div className="message bad">
      <p>{printable(error.message)}</p>
      <p className="quiet">
        <code>{error.code}</code> {error.kind.replaceAll("_", " ")}
        {error.http_status ? `, HTTP ${error.http_status}` : ""}
        {error.retryable === false ? ", trying again would not help" : ""}
      </p>
    </div>
  );
}

const errorLine = (error: RunError): string => printable(error.http_status ? `HTTP ${error.http_status}: ${error.message}` : error.message);
