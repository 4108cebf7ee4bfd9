import type { ProblemBody } from "./types";

const BASE = "/api/v1";

export type Query = Record<string, string | number | undefined>;

/** A refused or unanswered call; `problem` is what the server said, or says that it did not answer. */
export class ApiError extends Error {
  constructor(readonly problem: ProblemBody) {
    super(problem.detail ?? problem.title);
    this.name = "ApiError";
  }

  /** True when trying again by itself may help: nobody answered, or the server is busy. */
  get transient(): boolean {
    return this.problem.status === 0 || this.problem.status === 429 || this.problem.status >= 502;
  }
}

export function address(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") params.set(name, String(value));
  }
  const text = params.toString();
  return BASE + path + (text ? `?${text}` : "");
}

/** @throws ApiError */
export function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return send<T>(address(path, query), { signal: signal ?? null, headers: { accept: "application/json" } });
}

/** @throws ApiError */
export function post<T>(path: string, query?: Query, body: unknown = {}): Promise<T> {
  const headers = { accept: "application/json", "content-type": "application/json" };
  return send<T>(address(path, query), { method: "POST", headers, body: JSON.stringify(body) });
}

async function send<T>(url: string, init: RequestInit): Promise<T> {
  const response = await fetch(url, init).catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError({ title: "The server does not answer", status: 0, detail: "The server does not answer. The page tries again by itself." });
  });
  const text = await response.text();
  if (!response.ok) throw new ApiError(problemOf(response, text));
  return parse(text, response) as T;
}

function parse(text: string, response: Response): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError({ title: "The answer is not JSON", status: response.status, detail: `${response.url} answered something that is not JSON.` });
  }
}

function problemOf(response: Response, text: string): ProblemBody {
  const fallback = { title: response.statusText || "The call was refused", status: response.status };
  try {
    return { ...fallback, ...(JSON.parse(text) as Partial<ProblemBody>) };
  } catch {
    return fallback;
  }
}
