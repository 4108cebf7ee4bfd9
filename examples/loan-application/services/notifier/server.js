// Sends notices: one JSON file for each in the folder OUTBOX.
//
//   POST /send {to, ...} -> {notice}
//
// It answers as mail hosts do:
// - a domain that ends in `.invalid` can never be reached (RFC 2606): 422;
// - the domains in GREYLISTED_DOMAINS turn the first letter to an address away (greylisting,
//   RFC 6647) with 503. The same letter gets the same answer however often it is sent (a letter
//   is known by its Idempotency-Key); the next letter is taken, and the one after it is a first
//   letter again.

import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";

const { PORT, OUTBOX, GREYLISTED_DOMAINS = "" } = process.env;
if (!PORT || !OUTBOX) {
  console.error("notifier: set PORT and OUTBOX (a folder for the notices)");
  process.exit(2);
}

const MAX_REQUEST_BYTES = 64 * 1024;
const GREYLISTED = new Set(GREYLISTED_DOMAINS.split(/[\s,]+/).filter(Boolean));
const REFUSED = path.join(OUTBOX, ".refused"); // outlives a restart, as an answer has to

class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

async function send(notice, letter) {
  if (typeof notice.to !== "string" || notice.to === "") {
    throw new Refusal(400, "bad_request", "to: a name or a mail address is needed");
  }
  const domain = notice.to.split("@").pop().toLowerCase();
  if (domain === "invalid" || domain.endsWith(".invalid")) {
    throw new Refusal(422, "undeliverable_address", `${notice.to} cannot be reached: no host has a name in .invalid`);
  }
  // The file is named after the letter: sent twice, it is one notice.
  const file = `${digest(letter)}.json`;
  const taken = await readIfThere(path.join(OUTBOX, file));
  if (taken === null && GREYLISTED.has(domain)) await greylist(notice.to, letter);
  await write(path.join(OUTBOX, file), JSON.stringify(notice, null, 2) + "\n");
  return { notice: file };
}

async function greylist(to, letter) {
  const file = path.join(REFUSED, digest(to));
  const refused = await readIfThere(file);
  if (refused !== null && refused !== letter) return rm(file, { force: true });
  await write(file, letter);
  throw new Refusal(503, "greylisted", `${to}: the host does not know us yet and wants a new letter`);
}

function readIfThere(file) {
  return readFile(file, "utf8").catch((error) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}

async function write(file, text) {
  const unfinished = `${file}.${randomUUID()}`; // nobody ever reads half a file
  await writeFile(unfinished, text);
  await rename(unfinished, file);
}

function digest(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

async function readJson(request) {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > MAX_REQUEST_BYTES) throw new Refusal(413, "too_large", "the request is too large");
  }
  try {
    return JSON.parse(text) ?? {};
  } catch {
    throw new Refusal(400, "bad_request", "the request is not JSON");
  }
}

async function route(request) {
  const key = `${request.method} ${request.url}`;
  switch (key) {
    case "GET /healthz":
      return { ok: true };
    case "POST /send":
      return send(await readJson(request), request.headers["idempotency-key"] ?? randomUUID());
    default:
      throw new Refusal(404, "unknown_operation", `${key}: there is POST /send`);
  }
}

async function handle(request, response) {
  const reply = (status, value) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  };
  try {
    reply(200, await route(request));
  } catch (error) {
    if (!(error instanceof Refusal)) console.error(error);
    reply(error.status ?? 500, { error: error.code ?? "internal", message: error.message });
  }
}

await mkdir(REFUSED, { recursive: true });
const server = http.createServer(handle);
server.keepAliveTimeout = 120_000; // longer than callers keep theirs, or a call may meet a closing door
server.listen(Number(PORT), "127.0.0.1", () => console.log(`notifier: listening on ${PORT}`));
process.on("SIGTERM", () => {
  server.close(() => process.exit(0)); // what is in flight is finished first
  setInterval(() => server.closeIdleConnections(), 20); // a connection falls idle when its call is done
});
