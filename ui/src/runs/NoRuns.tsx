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

/** The fields that the schema requires; all that it has when it requires none. */
function inputFields(input: Json | undefined): [name: string, isFile: boolean][] {
  if (!isObject(input) || !isObject(input.properties)) return [];
  const required = Array.isArray(input.required) ? input.required : [];
  const all = Object.entries(input.properties);
  const shown = required.length ? all.filter(([name]) => required.includes(name)) : all;
  return shown.map(([name, type]) => [name, isFile(type)]);
}

/** A file travels as an object with the digest of its bytes; how the schema says so may be by name or by form. */
const isFile = (type: Json): boolean => /"(?:file|artifact)"|\/file"/.test(JSON.stringify(type));

const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
