/**
 * A finished run, seen in a real browser. Needs a server in CONSORT_URL with at least one finished run;
 * CONSORT_RUN names the run to open (else the newest finished one), SCREENSHOTS a folder for pictures.
 */

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openBrowser, openPage } from "./browser.mjs";

const BASE = process.env.CONSORT_URL;
const DEADLINE_MS = 20_000;

let browser;
let page;
let problems;
let run;
let steps;

before(async () => {
  assert.ok(BASE, "CONSORT_URL must say where the server is");
  run = await finishedRun();
  steps = await allSteps(run.id);
  browser = await openBrowser();
  ({ page, problems } = await openPage(browser.context));
  page.setDefaultTimeout(DEADLINE_MS);
});

after(() => browser?.close());

test("the list shows the run, and leads to it", async () => {
  await page.goto(`${BASE}/`);
  const row = page.locator(`tr[data-run="${run.id}"]`);
  await row.waitFor();
  assert.match(await row.innerText(), new RegExp(run.workflow));
  await shot("runs");
  await row.getByRole("link").click();
  await page.waitForURL(`**/runs/${run.id}`);
});

test("the verdict says how it ended", async () => {
  const verdict = await page.locator("h1.verdict").innerText();
  const word = { succeeded: "Succeeded", failed: "Failed", cancelled: "Cancelled", timed_out: "Timed out" }[run.state];
  assert.ok(verdict.includes(word), `${JSON.stringify(verdict)} says ${word}`);
  if (run.error) assert.ok((await page.locator(".cause").innerText()).includes(run.error.message.split("\n")[0]));
});

test("the graph shows each node with its state", async () => {
  const graph = await api(`/workflows/${run.workflow}/graph?revision=${encodeURIComponent(run.revision)}`);
  await page.locator(".node").first().waitFor();
  for (const node of graph.nodes.filter((node) => !node.id.endsWith("[]"))) {
    const drawn = page.locator(`[data-node="${node.id}"]`);
    await drawn.waitFor();
    const state = await drawn.getAttribute("data-state");
    const own = steps.find((step) => step.key === node.id);
    if (own && own.state !== "skipped") assert.equal(state, own.state, `state of ${node.id}`);
    else assert.ok(state, `${node.id} has a state`);
  }
  const lines = await page.locator(".react-flow__edge-path").count();
  assert.equal(lines > 0, graph.edges.length > 0, "lines are drawn where the definition has them");
  await shot("run");
});

test("the list holds each step of the run", async () => {
  await openEverything();
  const listed = await page.locator(".step").evaluateAll((rows) => rows.map((row) => [row.dataset.step, row.dataset.state]));
  const expected = steps.map((step) => [step.key, step.state]);
  assert.deepEqual(listed.sort(), expected.sort());
});

test("a chosen step shows its input, its output and each try", async () => {
  const step = steps.find((step) => step.attempts.length > 1) ?? steps.find((step) => step.attempts.length === 1);
  assert.ok(step, "the run made a call");
  await row(step).getByRole("link").last().click();
  const panel = page.getByRole("complementary", { name: `Step ${step.key}` });
  await panel.waitFor();
  assert.equal(new URL(page.url()).searchParams.get("step"), step.key);
  assert.equal(await panel.locator(".attempts > li").count(), step.attempts.length);
  for (const [index, attempt] of step.attempts.entries()) {
    const text = await panel.locator(".attempts > li").nth(index).innerText();
    if (attempt.error) assert.ok(text.includes(attempt.error.message.split("\n")[0]), text);
  }
  await sameJson(panel.getByLabel(`Input of ${step.key}`), step.input);
  if (step.output !== null) await sameJson(panel.getByLabel(`Output of ${step.key}`), step.output);
  await shot("step");
});

test("the address alone leads back to the chosen step", async () => {
  const before = await page.getByRole("complementary").getAttribute("aria-label");
  await page.reload();
  await page.getByRole("complementary").waitFor();
  assert.equal(await page.getByRole("complementary").getAttribute("aria-label"), before);
});

test("the keyboard walks the steps, chooses one and closes it", async () => {
  await page.locator(".step .row-link").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const second = await page.locator(".step").nth(1).getAttribute("data-step");
  await page.waitForURL((url) => url.searchParams.get("step") === second);
  await page.keyboard.press("Escape");
  await page.waitForURL((url) => !url.searchParams.has("step"));
});

test("workflows and services show what the server has", async () => {
  await page.goto(`${BASE}/workflows`);
  await page.getByRole("link", { name: run.workflow, exact: true }).click();
  await page.locator(".node").first().waitFor();
  await shot("workflow");
  const services = await api("/services");
  await page.goto(`${BASE}/services`);
  for (const service of services.items) await page.locator(`tr[data-service="${service.name}"]`).waitFor();
  await shot("services");
});

test("it fits a phone", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const path of ["/", `/runs/${run.id}`, "/workflows", "/services"]) {
    await page.goto(BASE + path);
    await page.locator("h1").waitFor();
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wider, 0, `${path} is wider than the screen by ${wider} px`);
  }
});

test("nothing was refused or broke on the way", () => assert.deepEqual(problems, []));

async function api(path) {
  const response = await fetch(`${BASE}/api/v1${path}`);
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

async function finishedRun() {
  if (process.env.CONSORT_RUN) return api(`/runs/${process.env.CONSORT_RUN}`);
  const { items } = await api("/runs?limit=50");
  const found = items.filter((run) => run.finished_at);
  const withRetry = [];
  for (const run of found) if ((await allSteps(run.id)).some((step) => step.attempts.length > 1)) withRetry.push(run);
  assert.ok(found.length, "the server holds a finished run");
  return api(`/runs/${(withRetry[0] ?? found[0]).id}`);
}

async function allSteps(id) {
  const items = [];
  let cursor = "";
  do {
    const page = await api(`/runs/${id}/steps?limit=500${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...page.items);
    cursor = page.next_cursor ?? "";
  } while (cursor);
  return items;
}

const row = (step) => page.locator(`.step[data-step="${step.key}"]`);

/** Large fan-outs are closed at first. */
async function openEverything() {
  const closed = page.locator('.toggle[aria-expanded="false"]');
  while (await closed.count()) await closed.first().click();
}

async function sameJson(element, value) {
  assert.deepEqual(JSON.parse(await element.innerText()), value);
}

async function shot(name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
