import { Link } from "@tanstack/react-router";
import type { Run } from "../api/types";
import { isTerminal } from "../model/state";
import { gist, shortId } from "../model/text";
import { ago, duration, elapsed } from "../model/time";
import { sentence } from "../model/verdict";
import { StateIcon } from "../parts/Icon";
import { Ticked } from "../parts/Ticked";

export function RunsTable({ runs, now }: { runs: Run[]; now: number }) {
  return (
    <table className="list runs">
      <thead>
        <tr>
          <th scope="col">Result</th>
          <th scope="col">Workflow</th>
          <th scope="col">Run</th>
          <th scope="col" className="figure">Started</th>
          <th scope="col" className="figure">Duration</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => <Row key={run.id} run={run} now={now} />)}
      </tbody>
    </table>
  );
}

function Row({ run, now }: { run: Run; now: number }) {
  const took = elapsed(run.started_at, run.finished_at, now);
  const created = new Date(run.created_at).toLocaleString();
  return (
    <tr data-run={run.id}>
      <td className="result">
        <StateIcon state={run.state} />
        <Link className="row-link" to="/runs/$id" params={{ id: run.id }} search={(old) => ({ namespace: old.namespace })}>
          <Ticked text={sentence(run, now)} />
          {run.state === "succeeded" && <span className="outcome">{gist(run.output)}</span>}
        </Link>
        {run.undo === "incomplete" && <span className="badge bad">Undo incomplete</span>}
        {run.undo === "complete" && <span className="badge">Undone</span>}
      </td>
      <td className="about"><span>{run.workflow}</span> <span className="quiet">{gist(run.input)}</span></td>
      <td className="id" title={run.id}>{shortId(run.id)}</td>
      <td className="figure"><time dateTime={run.created_at} title={created}>{ago(run.created_at, now)}</time></td>
      <td className={isTerminal(run.state) ? "figure" : "figure live"}>{took === undefined ? "–" : duration(took)}</td>
    </tr>
  );
}
