/** Serves `dist` and the scenario as the API does: for looking at pages and for trying the tests. No dependency. */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { GRAPH, logsAt, runAt, RUNS, SERVICES, stepsAt, WORKFLOWS } from "./scenario.mjs";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
const CSP = "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";
const FEED_EVERY_MS = 150;
/** The live run begins again this long after it ended, so that there is always something to see. */
const LOOP_PAUSE_MS = 4_000;

const changed = new Map(); // What actions changed: run id → fields laid over the planned ones.

export function start(port = 0) {
  const server = createServer((request, response) => {
    handle(request, response).catch((cause) => problem(response, 500, "E0001", String(cause)));
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}

async function handle(request, response) {
  const url = new URL(request.url, "http://localhost");
  if (!url.pathname.startsWith("/api/v1/")) return file(response, url.pathname);
  const parts = url.pathname.slice("/api/v1/".length).split("/").map(decodeURIComponent);
  if (parts[0] === "feed") return feed(request, response, url.searchParams);
  if (request.method === "POST") return act(response, parts);
  const body = answer(parts, url.searchParams);
  if (body === undefined) return problem(response, 404, "E0404", `There is no ${url.pathname}.`);
  json(response, 200, body);
}

const page = (items) => ({ items, next_cursor: null });
const current = (run) => ({ ...runAt(run, Date.now()), ...changed.get(run.id) });

function answer([what, name, part], query) {
  const run = RUNS.find((run) => run.id === name);
  const workflow = WORKFLOWS.find((workflow) => workflow.name === name);
  if (what === "namespaces") return page([{ name: "lending" }]);
  if (what === "services" && !name) return page(SERVICES);
  if (what === "workflows") return !name ? page(WORKFLOWS) : !workflow ? undefined : part === "graph" ? graphOf(name) : workflow;
  if (what !== "runs") return undefined;
  if (!name) return runs(query);
  if (!run) return undefined;
  if (!part) return current(run);
  if (part === "steps") return page(stepsAt(run, Date.now()));
  if (part === "logs") return page(logsAt(run, query.get("step"), Date.now()));
  return undefined;
}

const graphOf = (name) => (name === "loan-application" ? GRAPH : { nodes: [{ id: "report", name: "report", kind: "call", call: "reports.write", for_each: false, parent: null, label: "report" }], edges: [] });

function runs(query) {
  const wanted = (run) =>
    (!query.get("state") || run.state === query.get("state")) &&
    (!query.get("workflow") || run.workflow === query.get("workflow")) &&
    (!query.get("q") || JSON.stringify(run).toLowerCase().includes(query.get("q").toLowerCase()));
  return page(RUNS.map(current).filter(wanted).slice(0, Number(query.get("limit") ?? 50)));
}

function act(response, [what, id, action]) {
  const run = RUNS.find((run) => run.id === id);
  if (what !== "runs" || !run) return problem(response, 404, "E0404", `There is no run ${id}.`);
  const state = { pause: "paused", resume: "running", cancel: "cancelling" }[action];
  if (!state) return problem(response, 409, "E0409", `The run is ${current(run).state}; ${action} does not fit.`);
  changed.set(id, { state, waiting_on: { kind: state, name: "", since: new Date().toISOString(), detail: "A person paused this run." } });
  json(response, 200, current(run));
}

function feed(request, response, query) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(": hello\n\n");
  const sent = new Map();
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    for (const run of RUNS.filter((run) => !query.get("run") || run.id === query.get("run"))) {
      restart(run, now);
      push(response, sent, `run ${run.id}`, "run", current(run));
      for (const step of stepsAt(run, now)) push(response, sent, `${run.id} ${step.key}`, "step", { run: run.id, ...step });
      for (const line of logsAt(run, null, now)) {
        const at = Date.parse(line.at);
        if (at > last && at <= now) send(response, "log", { run: run.id, ...line });
      }
    }
    last = now;
  }, FEED_EVERY_MS);
  request.on("close", () => clearInterval(timer));
}

function restart(run, now) {
  const last = Math.max(0, ...run.steps.map((step) => step.to));
  if (run.loops && now > run.startsAt + last + LOOP_PAUSE_MS) run.startsAt = now;
}

function push(response, sent, key, event, data) {
  const text = JSON.stringify(data);
  if (sent.get(key) === text) return;
  sent.set(key, text);
  send(response, event, data);
}

const send = (response, event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

function json(response, status, body, type = "application/json") {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}

function problem(response, status, code, detail) {
  json(response, status, { type: `/errors/${code}`, title: status === 404 ? "Not found" : "Refused", status, code, detail }, "application/problem+json");
}

async function file(response, path) {
  const name = normalize(extname(path) ? path : "/index.html");
  try {
    const body = await readFile(join(DIST, name));
    response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream", "content-security-policy": CSP });
    response.end(body);
  } catch {
    problem(response, 404, "E0404", "There is no such file; is the page built? npm run build");
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await start(Number(process.env.PORT ?? 7879));
  console.log(`http://127.0.0.1:${server.address().port}/`);
}
