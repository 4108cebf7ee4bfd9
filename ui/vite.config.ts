import react from "@vitejs/plugin-react";
import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

const server = process.env.CONSORT_URL ?? "http://127.0.0.1:7878";

/** The font's licence asks to travel with it. */
const fontLicence = {
  name: "font-licence",
  generateBundle(this: { emitFile(file: { type: "asset"; fileName: string; source: string }): string }) {
    const source = readFileSync("node_modules/@fontsource-variable/inter/LICENSE", "utf8");
    this.emitFile({ type: "asset", fileName: "licences/inter.txt", source });
  },
};

export default defineConfig({
  plugins: [react(), fontLicence],
  build: {
    target: "es2022",
    // Everything is a file of its own: the page's CSP allows neither inline scripts nor `data:` fonts.
    assetsInlineLimit: 0,
    license: { fileName: "licences/packages.md" },
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/api": server } },
  test: { include: ["src/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
