// Splits PDF documents into their pages.
//
//   POST /split {document: file} -> {pages: [file]}
//
// A file is {artifact, name, type, size, url}: its bytes are fetched from `url`. The pages are
// put where the setting ARTIFACTS_URL says: a POST of the bytes there answers with a file.

import http from "node:http";
import { Refusal, splitPdf } from "./split.js";

const { PORT, ARTIFACTS_URL } = process.env;
if (!PORT || !ARTIFACTS_URL) {
  console.error("documents: set PORT and ARTIFACTS_URL (where a POST of bytes stores a file)");
  process.exit(2);
}

const MAX_REQUEST_BYTES = 64 * 1024; // a request holds one file value, never the bytes
const MAX_DOCUMENT_BYTES = 32 * 1024 * 1024; // a scanned stub is a few MiB; a split holds it in memory
const STORE_TIMEOUT_MS = 20_000; // under the timeout of an operation, so that the caller gets our reason

async function split({ document }) {
  if (typeof document?.url !== "string") {
    throw new Refusal(400, "bad_request", "document: a file with a url is needed");
  }
  const name = document.name || "document";
  const bytes = await download(document.url, name);
  const pages = [];
  for (const [index, page] of (await splitPdf(bytes, name)).entries()) {
    pages.push(await upload(page, `${name.replace(/\.pdf$/i, "")}-page-${index + 1}.pdf`));
  }
  return { pages };
}

async function download(url, name) {
  const response = await reach(url, {});
  if (response.status === 404 || response.status === 410) {
    throw new Refusal(422, "document_missing", `${name}: no file is stored at ${url}`);
  }
  if (!response.ok) {
    throw new Refusal(502, "storage_failed", `${name}: ${url} answered ${response.status}`);
  }
  const chunks = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > MAX_DOCUMENT_BYTES) {
      throw new Refusal(422, "document_too_large", `${name}: more than ${MAX_DOCUMENT_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function upload(bytes, name) {
  const response = await reach(`${ARTIFACTS_URL}?name=${encodeURIComponent(name)}`, {
    method: "POST",
    headers: { "content-type": "application/pdf" },
    body: bytes,
  });
  if (!response.ok) {
    throw new Refusal(502, "storage_failed", `${name} could not be stored: answer ${response.status}`);
  }
  return response.json();
}

async function reach(url, options) {
  try {
    return await fetch(url, { ...options, signal: AbortSignal.timeout(STORE_TIMEOUT_MS) });
  } catch (error) {
    throw new Refusal(502, "storage_unreachable", `${url}: ${error.cause?.message ?? error.message}`);
  }
}

async function readJson(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_REQUEST_BYTES) throw new Refusal(413, "too_large", "the request is too large");
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new Refusal(400, "bad_request", "the request is not JSON");
  }
}

async function answer(request) {
  const route = `${request.method} ${request.url}`;
  if (route === "GET /healthz") return { ok: true };
  if (route === "POST /split") return split((await readJson(request)) ?? {});
  throw new Refusal(404, "unknown_operation", `${route}: there is POST /split`);
}

const server = http.createServer(async (request, response) => {
  let status = 200;
  let body;
  try {
    body = await answer(request);
  } catch (error) {
    const known = error instanceof Refusal;
    if (!known) console.error(error);
    status = known ? error.status : 500;
    body = { error: known ? error.code : "internal", message: error.message };
  }
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
});

server.keepAliveTimeout = 120_000; // longer than callers keep theirs, or a call may meet a closing door
server.listen(Number(PORT), "127.0.0.1", () => console.log(`documents: listening on ${PORT}`));
process.on("SIGTERM", () => {
  server.close(() => process.exit(0)); // what is in flight is finished first
  setInterval(() => server.closeIdleConnections(), 20); // a connection falls idle when its call is done
});
