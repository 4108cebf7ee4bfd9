import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";

/** A refusal in the server's words: what, and each field it names. */
export function ErrorMessage({ error }: { error: unknown }) {
  const problem = error instanceof ApiError ? error.problem : undefined;
  const title = problem?.title ?? "Something went wrong";
  const detail = problem?.detail ?? (error instanceof Error ? error.message : String(error));
  return (
    <div className="message bad" role="alert">
      <p>
        <strong>{title}</strong> {problem?.code && <code>{problem.code}</code>}
      </p>
      {detail !== title && <p>{detail}</p>}
      {problem?.errors && (
        <ul>
          {problem.errors.map((field, index) => (
            <li key={index}><code>{field.path}</code> {field.message}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** The answer to "what now?" where there is nothing yet. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return <p className="loading" role="status">Loading {what}…</p>;
}

export function NotFound() {
  return (
    <Empty title="There is no such page">
      <p><Link to="/">All runs</Link></p>
    </Empty>
  );
}
