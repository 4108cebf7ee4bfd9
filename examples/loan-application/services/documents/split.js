// PDF bytes in, one PDF of a single page for each page out. No network, no clock: the same
// document gives the same bytes, so a repeated call stores nothing new.

import { PDFDocument } from "pdf-lib";

// Readers look for the marks of a PDF only near its two ends (ISO 32000, annex H).
const MARK_WINDOW_BYTES = 1024;
const MAX_PAGES = 200; // each page becomes a call of its own

/** A request that is answered with `status` and `{error: code, message}`. */
export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export async function splitPdf(bytes, name) {
  const document = await load(bytes, name);
  const indices = document.getPageIndices();
  if (indices.length > MAX_PAGES) {
    throw new Refusal(422, "too_many_pages", `${name} has ${indices.length} pages, at most ${MAX_PAGES} are taken`);
  }
  try {
    const pages = [];
    for (const index of indices) {
      const single = await PDFDocument.create({ updateMetadata: false }); // metadata would hold the time
      const [page] = await single.copyPages(document, [index]);
      single.addPage(page);
      pages.push(await single.save());
    }
    return pages;
  } catch (error) {
    throw corrupt(name, `a page cannot be read (${error.message})`);
  }
}

async function load(bytes, name) {
  const head = bytes.subarray(0, MARK_WINDOW_BYTES).toString("latin1");
  if (!head.includes("%PDF-")) {
    const found = bytes.length === 0 ? "it is empty" : "it does not begin with %PDF-";
    throw new Refusal(422, "not_a_pdf", `${name} is not a PDF: ${found}. Please send the stub as a PDF file`);
  }
  // The parser below repairs what it can. A stub with its end cut off must not pass for a whole one.
  if (!bytes.subarray(-MARK_WINDOW_BYTES).toString("latin1").includes("%%EOF")) {
    throw corrupt(name, "it ends before its end mark, so a part is missing");
  }
  let document;
  try {
    document = await PDFDocument.load(bytes, { updateMetadata: false, ignoreEncryption: true });
    if (document.getPageCount() === 0) throw new Error("it has no page");
  } catch (error) {
    throw corrupt(name, error.message);
  }
  if (document.isEncrypted) {
    throw new Refusal(422, "encrypted_pdf", `${name} is encrypted. Please send it without a password`);
  }
  return document;
}

function corrupt(name, reason) {
  return new Refusal(422, "corrupt_pdf", `${name} is a corrupt PDF: ${reason}. Please send the file again`);
}
