import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import * as queries from "../api/queries";
import { shortRevision } from "../model/text";
import { GraphCanvas } from "../parts/GraphCanvas";
import { JsonView } from "../parts/JsonView";
import { ErrorMessage, Loading } from "../parts/Message";
import { useNamespace, useTitle } from "../parts/hooks";
import { startCommand } from "../runs/NoRuns";
import { RecentRuns } from "./RecentRuns";

const route = getRouteApi("/workflows/$name");

export function WorkflowPage() {
  const { name } = route.useParams();
  const { revision } = route.useSearch();
  const { namespace, known } = useNamespace();
  useTitle(name);
  const workflow = useQuery({ ...queries.workflow(namespace, name), enabled: known });
  const graph = useQuery({ ...queries.graph(namespace, name, revision), enabled: known });
  if (workflow.isError) return <div className="page"><ErrorMessage error={workflow.error} /></div>;
  if (!workflow.data) return <div className="page"><Loading what="the workflow" /></div>;
  return (
    <div className="page">
      <header className="run-head">
        <p className="crumbs"><Link to="/workflows" search={(old) => ({ namespace: old.namespace })}>Workflows</Link></p>
        <h1>{name}</h1>
        <p className="facts">
          {workflow.data.description && <span>{workflow.data.description}</span>}
          <span>revision <code>{shortRevision(revision ?? workflow.data.revision)}</code></span>
          <RecentRuns workflow={name} namespace={namespace} />
          <Link to="/" search={(old) => ({ namespace: old.namespace, workflow: name })}>All its runs</Link>
        </p>
      </header>
      {graph.isError && <ErrorMessage error={graph.error} />}
      {graph.data && <GraphCanvas graph={graph.data} label={`Graph of ${name}`} />}
      <section className="run-data">
        <div>
          <h2>Start it</h2>
          <pre className="command">{startCommand(workflow.data)}</pre>
        </div>
        <div>
          <h2>Input</h2>
          <JsonView value={workflow.data.input} label="Input of the workflow" />
        </div>
      </section>
    </div>
  );
}
