// A plain web server for a few files, compressed ahead and kept by browsers as the hub's are.

import { createHash } from "node:crypto";
import http from "node:http";
import { brotliCompressSync } from "node:zlib";

const TYPES = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  json: "application/json",
  wasm: "application/wasm",
};

/** What a file's name gets, so that it may be kept for good. */
export const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

/** Serves files on loopback, by path; `kept` are the paths whose contents never change. */
export async function serve(files, kept = []) {
  const ready = Object.fromEntries(Object.entries(files).map(([path, body]) => [path, answer(path, body, kept.includes(path))]));
  const server = http.createServer((request, response) => {
    const { headers, body } = ready[new URL(request.url, "http://site").pathname] ?? {};
    if (!body) return response.writeHead(404).end();
    const fresh = request.headers["if-none-match"] === headers.etag;
    response.writeHead(fresh ? 304 : 200, headers).end(fresh ? undefined : body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const end = () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve)));
  return { url: `http://127.0.0.1:${server.address().port}/`, end, tail: () => "  a site for js peers" };
}

function answer(path, contents, kept) {
  const body = brotliCompressSync(contents);
  const headers = {
    "content-type": TYPES[path.split(".").at(-1)] ?? TYPES[path.endsWith("/") ? "html" : "json"],
    "content-encoding": "br",
    "content-length": body.length,
    "cache-control": kept ? "public, max-age=31536000, immutable" : "no-cache",
    vary: "accept-encoding",
    etag: `"${hashOf(contents)}"`,
  };
  return { headers, body };
}
