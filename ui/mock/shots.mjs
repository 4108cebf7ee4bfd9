/** Takes pictures of every page of the mock: `npm run shots -- FOLDER`. For looking, not for asserting. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openBrowser, openPage } from "../e2e/browser.mjs";
import { RUNS } from "./scenario.mjs";
import { start } from "./server.mjs";

const folder = process.argv[2] ?? "shots";
const [live, waiting, , failed, done, , wide] = RUNS.map((run) => run.id);
const PAGES = {
  runs: "/", "runs-empty": "/?state=timed_out", live: `/runs/${live}`, waiting: `/runs/${waiting}`,
  failed: `/runs/${failed}?step=notice`, done: `/runs/${done}?step=fields%5B1%5D`, logs: `/runs/${done}?step=fields%5B1%5D&tab=logs`, wide: `/runs/${wide}`,
  workflows: "/workflows", workflow: "/workflows/loan-application", services: "/services", missing: "/runs/run_none",
};
const LOOKS = { light: {}, dark: { colorScheme: "dark" }, phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 } };
const only = process.argv.slice(3);

await mkdir(folder, { recursive: true });
const server = await start();
const base = `http://127.0.0.1:${server.address().port}`;
for (const [look, options] of Object.entries(LOOKS)) {
  const browser = await openBrowser(options);
  const { page, problems } = await openPage(browser.context);
  for (const [name, path] of Object.entries(PAGES)) {
    if (only.length && !only.includes(name)) continue;
    await page.goto(base + path);
    await page.waitForTimeout(name === "live" ? 3_500 : 900);
    await page.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: look === "phone" });
  }
  if (problems.length) console.log(look, [...new Set(problems)]);
  await browser.close();
}
server.closeAllConnections();
server.close();
