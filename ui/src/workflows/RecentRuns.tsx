import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import * as queries from "../api/queries";
import { word } from "../model/state";
import { ago } from "../model/time";
import { StateIcon } from "../parts/Icon";

const SHOWN = 12;

/** The last runs as a row of icons, the newest at the right. */
export function RecentRuns({ workflow, namespace }: { workflow: string; namespace: string | undefined }) {
  const query = useQuery(queries.recentRuns(namespace, workflow, SHOWN));
  const runs = (query.data?.items ?? []).slice().reverse();
  if (query.isSuccess && !runs.length) return <span className="quiet">No runs yet</span>;
  return (
    <span className="recent">
      {runs.map((run) => (
        <Link
          key={run.id}
          to="/runs/$id"
          params={{ id: run.id }}
          search={(old) => ({ namespace: old.namespace })}
          title={`${word(run.state)}, ${ago(run.created_at, Date.now())}`}
          aria-label={`Run ${run.id}, ${word(run.state)}`}
        >
          <StateIcon state={run.state} />
        </Link>
      ))}
    </span>
  );
}
