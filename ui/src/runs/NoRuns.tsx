import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import * as queries from "../api/queries";
import type { Json, Workflow } from "../api/types";
import { Empty } from "../parts/Message";

export function NoRuns({ filtered, namespace }: { filtered: boolean; namespace: string | undefined }) {
  const workflows = useQuery(queries.workflows(namespace));
  if (filtered) {
    return (
      <Empty title="No run fits this filter">
        <p><Link to="/" search={{}}>Show all runs</Link></p>
      </Empty>
    );
  }
  const first = workflows.data?.items[0];
  return first ? (
    <Empty title="No runs yet">
      <p>Start the first one from a terminal:</p>
      <pre className="command">{startCommand(first)}</pre>
    </Empty>
  ) : (
    <Empty title="Nothing is deployed yet">
      <p>Make a small project and run it:</p>
      <pre className="command">{"consort init\nconsort dev"}</pre>
    </Empty>
  );
}

/** `consort run NAME -i FIELD=…`, with the fields that the workflow's input needs. */
export function startCommand(workflow: Workflow): string {
  const fields = inputFields(workflow.input).map(([name, isFile]) => ` -i ${name}=${isFile ? "@FILE" : "…"}`);
  return `consort run ${workflow.name}${fields.join("")}`;
}

/** Reads both the short form of types and JSON Schema. */
function inputFields(input: Json | undefined): [name: string, isFile: boolean][] {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return [];
  const properties = input.properties;
  const fields = typeof properties === "object" && properties !== null && !Array.isArray(properties) ? properties : input;
  return Object.entries(fields)
    .filter(([name]) => !name.endsWith("?"))
    .map(([name, type]) => [name, JSON.stringify(type).includes("file")]);
}
