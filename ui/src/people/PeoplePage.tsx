import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import * as queries from "../api/queries";
import type { Approval, Incident } from "../api/types";
import { printable } from "../model/text";
import { clock } from "../model/time";
import { JsonView } from "../parts/JsonView";
import { Empty, ErrorMessage, Loading } from "../parts/Message";
import { useNamespace, useTitle } from "../parts/hooks";
import { AnswerForm } from "./AnswerForm";

/** Everything that waits for a person: questions to answer, and incidents to mend. */
export function PeoplePage() {
  useTitle("Waiting for you");
  const { namespace, known } = useNamespace();
  const approvals = useQuery({ ...queries.approvals(namespace), enabled: known });
  const incidents = useQuery({ ...queries.incidents(namespace), enabled: known });
  const questions = approvals.data?.items ?? [];
  const troubles = incidents.data?.items ?? [];
  const error = approvals.error ?? incidents.error;
  const isLoaded = approvals.isSuccess && incidents.isSuccess;
  return (
    <div className="page people">
      <div className="page-head"><h1>Waiting for you</h1></div>
      {error && <ErrorMessage error={error} />}
      {!isLoaded && !error && <Loading what="questions and incidents" />}
      {isLoaded && !questions.length && !troubles.length && (
        <Empty title="Nothing waits for you"><p>Questions of runs and what does not go on by itself stand here.</p></Empty>
      )}
      {questions.length > 0 && <h2>Approvals</h2>}
      {questions.map((question) => <Question key={`${question.run} ${question.step}`} question={question} />)}
      {troubles.length > 0 && <h2>Incidents</h2>}
      {troubles.map((incident) => <Trouble key={`${incident.run} ${incident.step}`} incident={incident} />)}
    </div>
  );
}

interface PlaceProps {
  of: { run: string; workflow: string; step: string; since: string; namespace: string };
}

function Place({ of }: PlaceProps) {
  return (
    <p className="facts quiet">
      <Link to="/runs/$id" params={{ id: of.run }} search={{ namespace: of.namespace, step: of.step }}>{of.workflow}</Link>
      <code>{of.step}</code>
      <span>since {clock(of.since)}</span>
    </p>
  );
}

function Question({ question }: { question: Approval }) {
  return (
    <article className="card" data-step={question.step}>
      <h3>{printable(question.ask)}</h3>
      <Place of={question} />
      {question.until && <p className="quiet">The time for an answer ends {clock(question.until)}.</p>}
      {question.show != null && <JsonView value={question.show} label={`What to look at before answering ${question.step}`} />}
      <AnswerForm run={question.run} step={question.step} form={question.form} namespace={question.namespace} />
    </article>
  );
}

function Trouble({ incident }: { incident: Incident }) {
  return (
    <article className="card" data-step={incident.step}>
      <h3>{incident.detail}</h3>
      <Place of={incident} />
      <p className="message bad">{printable(incident.error.message)} <code>{incident.error.code}</code></p>
      <dl className="ways">
        {incident.actions.map((action) => (
          <div key={action.name}><dt><code>{action.command}</code></dt><dd className="quiet">{action.effect}</dd></div>
        ))}
      </dl>
    </article>
  );
}
