/** A plausible loan-application: what the API would say at a given moment, so that pages can be looked at without a server. */

const START = Date.now();
const iso = (ms) => new Date(ms).toISOString();

const SECRET_FREE_INPUT = (applicant, declared) => ({
  applicant,
  declared,
  document: { artifact: "sha256:9f2c4e", name: `${applicant}.pdf`, type: "application/pdf", size: 48213, url: "/api/v1/artifacts/sha256:9f2c4e" },
});

const node = (id, more = {}) => ({ id, name: id, kind: "call", call: null, for_each: false, parent: null, label: null, ...more });
const branch = (n, label) => node(`decision[${n}]`, { name: `[${n}]`, kind: "value", parent: "decision", label });

export const GRAPH = {
  revision: "sha256:4be1c09d7a22f1",
  nodes: [
    node("pages", { call: "documents.split" }),
    node("fields", { call: "parser.parse", for_each: true }),
    node("check", { call: "income.check" }),
    node("decision", { kind: "switch" }),
    branch(0, "fields.exists(f, f.confidence > 0.0 && f.confidence < 0.9)"),
    branch(1, "check.confidence < 0.9"),
    branch(2, "check.ratio < 0.8"),
    node("decision.else", { name: "else", kind: "await", parent: "decision" }),
    node("account", { call: "ledger.open", label: "decision.approved" }),
    node("notice", { call: "notifier.send" }),
  ],
  edges: [["pages", "fields"], ["fields", "check"], ["fields", "decision"], ["check", "decision"], ["decision", "account"], ["decision", "notice"], ["account", "notice"]]
    .map(([from, to]) => ({ from, to, kind: "data" })),
};

export const WORKFLOWS = [
  {
    name: "loan-application", revision: "sha256:4be1c09d7a22f1", description: "A pay stub from upload to decision",
    input: { type: "object", required: ["applicant", "document", "declared"], properties: { applicant: { type: "string" }, document: { type: "object", title: "file" }, declared: { type: "number" } } },
  },
  { name: "nightly-report", revision: "sha256:77aa01b3c4d5e6", description: null, input: { type: "object", properties: { day: { type: "string" } } } },
];

const replicas = (ready, desired = ready, rest = {}) => ({ desired, ready, starting: 0, draining: 0, failed: 0, ...rest });
export const SERVICES = [
  { name: "documents", kind: "process", revision: "sha256:1d0c55a9be77", previous_revision: null, state: "ready", detail: null, replicas: replicas(1), in_flight: 0, queued: 0, operations: { split: {} }, rollout: null },
  { name: "income", kind: "exec", revision: "sha256:c4410fb8e2aa", previous_revision: null, state: "ready", detail: null, replicas: replicas(0), in_flight: 0, queued: 0, operations: { check: {} }, rollout: null },
  { name: "ledger", kind: "process", revision: "sha256:e0b3d7761f4c", previous_revision: null, state: "ready", detail: null, replicas: replicas(1), in_flight: 0, queued: 0, operations: { open: {}, close: {} }, rollout: null },
  { name: "notifier", kind: "process", revision: "sha256:52d9a3c01b6e", previous_revision: null, state: "failed", detail: "node notifier.js exited with code 1: Cannot find module 'nodemailer'. The next start is in 16 s.", replicas: replicas(0, 1, { failed: 1 }), in_flight: 0, queued: 0, operations: { send: {} }, rollout: null },
  { name: "parser", kind: "process", revision: "sha256:8e6f1b2c9d04", previous_revision: "sha256:77c1", state: "degraded", detail: null, replicas: replicas(2, 4, { starting: 2 }), in_flight: 3, queued: 2, operations: { parse: {} }, rollout: null },
];

const error = (step, attempt, message, more = {}) => ({
  code: "E1203", kind: "operation", message, step, attempt, retryable: true, http_status: 503, details: null, ...more,
});

/** One planned call: when it begins and ends after the start of the run, and how each try went. */
function call(key, name, [from, to], { tries = [], input = {}, output = {}, parent = null, index = null, kind = "call", fails } = {}) {
  return { key, call: name, from, to, tries, input, output, parent, index, kind, fails };
}

const page = (n) => ({ artifact: `sha256:page${n}`, name: `page-${n}.pdf`, type: "application/pdf", size: 11000 + n * 37, url: "/x" });

function plan(pages, { approved = true, ask = false } = {}) {
  const fieldsEnd = 1000 + 700 * pages + 900;
  const steps = [
    call("pages", "documents.split", [40, 700], { input: { document: page(0) }, output: { pages: Array.from({ length: pages }, (_, i) => page(i + 1)) } }),
    call("fields", "parser.parse", [720, fieldsEnd], { kind: "call", input: null, output: Array.from({ length: pages }, () => ({ monthly_income: 4210.5 })) }),
  ];
  for (let i = 0; i < pages; i += 1) {
    const from = 720 + i * 160;
    const tries = i === 1 ? [{ to: from + 420, error: error("fields[1]", 1, "the model is still loading") }, { from: from + 1150 }] : [];
    steps.push(call(`fields[${i}]`, "parser.parse", [from, Math.min(fieldsEnd, from + 1900 + 230 * i)], {
      tries, parent: "fields", index: i, input: { page: page(i + 1) },
      output: { employer: "Nordlicht Werke GmbH", monthly_income: 4210.5, confidence: 0.97 },
    }));
  }
  const at = fieldsEnd + 720;
  if (!ask) steps.push(call("account", "ledger.open", [at + 20, at + 440], { input: { owner: "applicant" }, output: { id: "acc_20417" } }));
  steps.push(call("check", "income.check", [fieldsEnd + 20, fieldsEnd + 700], { input: { incomes: [4210.5, 4188], declared: 50000 }, output: { ratio: 1.01, confidence: ask ? 0.61 : 0.98 } }));
  steps.push({ ...call("decision", null, [at, ask ? Infinity : at + 4], { output: { approved } }), kind: "switch" });
  if (ask) {
    steps.push({ ...call("decision.else", null, [at, Infinity], { parent: "decision" }), kind: "await", waits: "Approve Hanna Weiss? Nobody has answered yet; without an answer it is refused in 2 d." });
  } else {
    steps.push({ ...call("decision[2]", null, [at + 1, at + 3], { parent: "decision", output: { approved } }), kind: "value" });
    steps.push(call("notice", "notifier.send", [at + 460, at + 900], { input: { to: "applicant", approved }, output: {} }));
  }
  return steps;
}

function failedPlan() {
  const steps = plan(2).filter((step) => !["notice"].includes(step.key));
  const from = 4300;
  const broken = (n) => error("notice", n, "the mail server turned the letter away: 451 try again later");
  const tries = [1, 2, 3].map((n) => ({ from: from + (n - 1) * 2100, to: from + (n - 1) * 2100 + 600, error: broken(n) }));
  steps.push(call("notice", "notifier.send", [from, from + 4800], { tries, fails: broken(3), output: null, input: { to: "hanna", approved: true } }));
  steps.push(call("account.undo", "ledger.close", [from + 4900, from + 5300], { input: { id: "acc_20417" }, output: {} }));
  steps.find((step) => step.key === "account").undoneAt = from + 5300;
  return steps;
}

function run(id, startsAt, steps, more = {}) {
  return { id, startsAt, steps, workflow: "loan-application", input: SECRET_FREE_INPUT("hanna", 50000), ...more };
}

const MINUTE = 60_000;
const id = (n) => `run_019a4c2e7b${(0x7d40 + n * 977).toString(16)}728f02c16bd9${(0xd1c40 + n * 77773).toString(16)}${n}`;
export const RUNS = [
  run(id(9), START + 1500, plan(6), { loops: true, tags: { branch: "north" } }),
  run(id(8), START - 4 * MINUTE, plan(3, { ask: true })),
  run(id(7), START - 6 * MINUTE, [], { queued: "The limit of 100 runs at once is reached; 3 runs are ahead of this one.", startsAt: Infinity, createdAt: START - 6 * MINUTE }),
  run(id(6), START - 11 * MINUTE, failedPlan(), { output: null }),
  run(id(5), START - 24 * MINUTE, plan(4)),
  run(id(4), START - 58 * MINUTE, plan(1, { approved: false })),
  run(id(3), START - 180 * MINUTE, plan(24)),
  run(id(2), START - 1700 * MINUTE, [], { workflow: "nightly-report", cancelled: true, startsAt: START - 1700 * MINUTE }),
  run(id(1), START - 1702 * MINUTE, plan(2)),
];

/** The step as the API shows it at `now`; undefined before it exists. */
export function stepAt(run, planned, now) {
  const { from, to, tries, fails, waits, call: name, key, kind, parent, index, input } = planned;
  const begin = run.startsAt + from;
  if (now < begin) return undefined;
  const done = now >= run.startsAt + to;
  const attempts = name && !(planned.key === "fields") ? attemptsAt(run, planned, now) : [];
  const current = attempts.at(-1);
  const undone = planned.undoneAt !== undefined && now >= run.startsAt + planned.undoneAt;
  const state = done ? (fails ? "failed" : undone ? "undone" : "succeeded") : waits || (current && current.state !== "running") ? "waiting" : "running";
  return {
    key, kind, call: name, state, parent, index, input, attempts,
    started_at: iso(begin), finished_at: done ? iso(run.startsAt + to) : null,
    output: done ? planned.output : null, error: done ? (fails ?? null) : null, cached: null, progress: null,
    waiting_on: state === "waiting" ? { kind: waits ? "approval" : "retry", name: key, since: iso(begin), detail: waits ?? "The next try begins in 1 s." } : null,
  };
}

function attemptsAt(run, { from, to, tries, call: name, fails }, now) {
  const service = name.split(".")[0];
  const planned = tries.length ? tries : [{}];
  return planned.flatMap((attempt, i) => {
    const begin = run.startsAt + (attempt.from ?? from);
    const end = run.startsAt + (attempt.to ?? to);
    if (now < begin) return [];
    const over = now >= end;
    const failed = attempt.error ?? (i === planned.length - 1 ? fails : undefined);
    return [{
      number: i + 1, state: !over ? "running" : failed ? "failed" : "succeeded", started_at: iso(begin), finished_at: over ? iso(end) : null,
      replica: `${service}-${1 + (i % 2)}`, revision: "sha256:8e6f1b", error: over ? (failed ?? null) : null,
    }];
  });
}

export function runAt(run, now) {
  const created = run.createdAt ?? run.startsAt - 30;
  const steps = run.steps.map((planned) => stepAt(run, planned, now)).filter(Boolean);
  const last = Math.max(0, ...run.steps.map((step) => step.to));
  const over = now >= run.startsAt + last && now >= run.startsAt;
  const failure = steps.find((step) => step.error)?.error;
  const undoing = failure && !over;
  const waits = steps.find((step) => step.state === "waiting");
  const anyRuns = steps.some((step) => step.state === "running" && step.kind !== "switch");
  const state = run.cancelled ? "cancelled" : run.queued ? "queued" : over ? (failure ? "failed" : "succeeded") : undoing ? "undoing" : waits && !anyRuns ? "waiting" : "running";
  return {
    id: run.id, workflow: run.workflow, revision: WORKFLOWS.find((workflow) => workflow.name === run.workflow).revision,
    state, input: run.input, output: over && !failure ? run.steps.find((step) => step.key === "decision")?.output ?? null : null,
    error: failure ?? null, tags: run.tags ?? {}, created_at: iso(created),
    started_at: run.queued ? null : iso(run.startsAt), finished_at: over || run.cancelled ? iso(run.startsAt + last + (run.cancelled ? 61_000 : 0)) : null,
    trigger: { kind: "api" }, undo: failure ? (over ? "complete" : "running") : "none",
    waiting_on: run.queued ? { kind: "limit", name: "loan-application", since: iso(created), ahead: 3, detail: run.queued } : state === "waiting" ? waits.waiting_on : null,
    attempts: [],
  };
}

export const stepsAt = (run, now) => run.steps.map((planned) => stepAt(run, planned, now)).filter(Boolean);

export function logsAt(run, key, now) {
  const lines = [];
  for (const step of stepsAt(run, now)) {
    if (key && step.key !== key) continue;
    for (const attempt of step.attempts) {
      const say = (offset, line, stream = "stdout") => lines.push({ at: iso(Date.parse(attempt.started_at) + offset), step: step.key, attempt: attempt.number, stream, line });
      say(2, `POST /${step.call.split(".")[1]} key=${run.id}/${step.key}`);
      say(40, "\u001b[32mINFO\u001b[0m reading the input, <b>as text</b>");
      if (attempt.error) say(300, `ERROR ${attempt.error.message}`, "stderr");
      else if (attempt.finished_at) say(400, "INFO done");
    }
  }
  return lines;
}
