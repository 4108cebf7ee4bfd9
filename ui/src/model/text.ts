/** Text that others wrote, made safe to look at: it is always shown as text, never as markup. */

import type { Json } from "../api/types";

/** Longer lines are cut, with a way to see the rest. */
export const MAX_LINE = 2_000;
export const MAX_JSON = 20_000;

// The escape sequences of terminals: CSI … letter, OSC … BEL or ST, and two-character ones.
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// Control characters but tab and newline, and marks that reorder what stands beside them.
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Colours of terminals go, other control characters become visible as `�`. */
export function printable(text: string): string {
  return text.replace(ANSI, "").replace(/\r$/gm, "").replace(INVISIBLE, "\ufffd");
}

/** A revision is a digest: its beginning tells it from others. */
export const shortRevision = (revision: string): string => revision.replace(/^sha256:/, "").slice(0, 12);

/** Ids begin with the time, so that only their ends differ between runs of one minute. */
export const shortId = (id: string): string => (id.length > 16 ? `${id.slice(0, 4)}…${id.slice(-8)}` : id);

/** A value in a few words: its first plain fields, a file by its name. */
export function gist(value: Json | undefined): string {
  if (value == null) return "";
  if (typeof value !== "object") return short(value);
  const fields = Object.entries(value).map(([name, field]) => {
    if (typeof field === "boolean") return `${name}: ${field}`;
    if (typeof field === "string" || typeof field === "number") return short(field);
    return typeof field === "object" && field !== null && !Array.isArray(field) && typeof field.name === "string" ? short(field.name) : "";
  });
  return fields.filter(Boolean).slice(0, GIST_FIELDS).join(", ");
}

const GIST_FIELDS = 3;
const GIST_LENGTH = 32;

function short(value: string | number | boolean): string {
  const text = printable(String(value)).replace(/\s+/g, " ");
  return text.length > GIST_LENGTH ? `${text.slice(0, GIST_LENGTH - 1)}…` : text;
}

export function bytes(size: number): string {
  if (size < 1_000) return `${size} B`;
  if (size < 1_000_000) return `${(size / 1_000).toFixed(1)} kB`;
  return `${(size / 1_000_000).toFixed(1)} MB`;
}
