import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import * as queries from "../api/queries";
import type { Workflow } from "../api/types";
import { shortRevision } from "../model/text";
import { Empty, ErrorMessage, Loading } from "../parts/Message";
import { useNamespace, useTitle } from "../parts/hooks";
import { RecentRuns } from "./RecentRuns";

export function WorkflowsPage() {
  useTitle("Workflows");
  const { namespace, known } = useNamespace();
  const query = useQuery({ ...queries.workflows(namespace), enabled: known });
  const items = query.data?.items ?? [];
  return (
    <div className="page">
      <div className="page-head"><h1>Workflows</h1></div>
      {query.isError && <ErrorMessage error={query.error} />}
      {query.isPending && !query.isError && <Loading what="workflows" />}
      {query.isSuccess && !items.length && (
        <Empty title="No workflow is deployed">
          <p>Deploy the project file of a folder:</p>
          <pre className="command">consort apply</pre>
        </Empty>
      )}
      {items.length > 0 && (
        <table className="list workflows">
          <thead>
            <tr><th scope="col">Workflow</th><th scope="col">Revision</th><th scope="col">Last runs</th></tr>
          </thead>
          <tbody>{items.map((workflow) => <Row key={workflow.name} workflow={workflow} namespace={namespace} />)}</tbody>
        </table>
      )}
    </div>
  );
}

function Row({ workflow, namespace }: { workflow: Workflow; namespace: string | undefined }) {
  return (
    <tr>
      <td>
        <Link className="row-link" to="/workflows/$name" params={{ name: workflow.name }} search={(old) => ({ namespace: old.namespace })}>
          {workflow.name}
        </Link>
        {workflow.description && <p className="quiet">{workflow.description}</p>}
      </td>
      <td className="id">{shortRevision(workflow.revision)}</td>
      <td><RecentRuns workflow={workflow.name} namespace={namespace} /></td>
    </tr>
  );
}
