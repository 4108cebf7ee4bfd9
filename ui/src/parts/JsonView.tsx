import { useState } from "react";
import { address } from "../api/client";
import type { Json } from "../api/types";
import { bytes, MAX_JSON, printable } from "../model/text";

interface Artifact {
  artifact: string;
  name: string;
  type?: string;
  size: number;
}

/** A value as text, with a link for each file in it. */
export function JsonView({ value, label }: { value: Json | undefined; label: string }) {
  const [whole, setWhole] = useState(false);
  if (value === undefined || value === null) return <p className="none">None</p>;
  const text = printable(JSON.stringify(value, null, 2));
  const cut = !whole && text.length > MAX_JSON;
  return (
    <>
      <Files value={value} />
      <pre className="json" tabIndex={0} aria-label={label}><Coloured text={cut ? text.slice(0, MAX_JSON) : text} /></pre>
      {cut && <button className="plain" onClick={() => setWhole(true)}>Show all {bytes(text.length)}</button>}
    </>
  );
}

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** Names quiet, values plain: tokens are text nodes, nothing is ever parsed as markup. */
function Coloured({ text }: { text: string }) {
  const out = [];
  let last = 0;
  for (const match of text.matchAll(TOKENS)) {
    if (match.index > last) out.push(text.slice(last, match.index));
    const kind = match[2] !== undefined ? "name" : match[1] !== undefined ? "text" : "atom";
    out.push(<span key={match.index} className={`json-${kind}`}>{match[0]}</span>);
    last = match.index + match[0].length;
  }
  out.push(text.slice(last));
  return out;
}

const MAX_FILES = 20;

function Files({ value }: { value: Json }) {
  const files: Artifact[] = [];
  collect(value, files);
  if (!files.length) return null;
  return (
    <ul className="files">
      {files.map((file, index) => (
        <li key={index}>
          <a href={address(`/artifacts/${encodeURIComponent(file.artifact)}`)} download={file.name}>{file.name}</a>{" "}
          <span className="quiet">{bytes(file.size)}</span>
        </li>
      ))}
    </ul>
  );
}

function collect(value: Json, out: Artifact[]) {
  if (typeof value !== "object" || value === null || out.length >= MAX_FILES) return;
  if (!Array.isArray(value) && isArtifact(value)) out.push(value as unknown as Artifact);
  else for (const inner of Object.values(value)) collect(inner, out);
}

const isArtifact = (value: { [key: string]: Json }): boolean =>
  typeof value.artifact === "string" && typeof value.name === "string" && typeof value.size === "number";
