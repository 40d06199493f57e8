// One visit to a page under measurement: what it does, and when, in milliseconds since its navigation began.

import { PATIENCE_MS } from "./wait.mjs";

/** Runs in the page before anything of its own. Moments go to `visit.at`, each once; `visit.over` ends with a line. */
function watch(tag) {
  const at = {};
  let end;
  globalThis.visit = { at, over: new Promise((resolve) => (end = resolve)) };
  const mark = (name) => (at[name] ??= performance.now());

  for (const name of ["instantiate", "instantiateStreaming"]) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...words) => {
      const module = await original.apply(WebAssembly, words);
      mark("wasm");
      return module;
    };
  }
  globalThis.WebSocket = new Proxy(WebSocket, {
    construct(target, words) {
      mark("dial");
      const socket = new target(...words);
      socket.addEventListener("open", () => mark("open"));
      return socket;
    },
  });

  const all = (name) => Array.from(document.querySelectorAll(`[data-testid="${name}"]`), (one) => one.textContent);
  const drawn = (name, then) => {
    if (name in at) return;
    at[name] = undefined;
    // The frame that draws it.
    requestAnimationFrame((time) => {
      at[name] = time;
      then?.();
    });
  };
  new MutationObserver(() => {
    if (all("status").some((text) => text.includes("online"))) drawn("online");
    if (all("message-text").some((text) => text.startsWith(tag))) drawn("line", end);
  }).observe(document, { subtree: true, childList: true, characterData: true });
}

/** Runs in the page: waits for the line, then reads what the browser measured besides. */
async function outcome() {
  await globalThis.visit.over;
  const [navigation] = performance.getEntriesByType("navigation");
  const resources = performance.getEntriesByType("resource");
  const code = resources.filter(({ name }) => /\.(js|wasm)$/.test(name));
  return {
    ...globalThis.visit.at,
    browser: /Chrome\/(\d+)/.exec(navigator.userAgent)[1],
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    code: Math.max(...code.map(({ responseEnd }) => responseEnd)),
    lookup: resources.find(({ name }) => name.endsWith("/api/v1/node")).startTime,
    bytes: [navigation, ...resources].reduce((sum, { transferSize }) => sum + transferSize, 0),
  };
}

/** Opens a page in a tab of its own until it shows a line that begins with the tag. */
export async function visit(context, url, tag) {
  const page = await context.newPage();
  try {
    await page.addInitScript(watch, tag);
    await page.goto(url, { waitUntil: "commit" });
    const late = new Promise((_, reject) => page.once("close", () => reject(new Error(`${url} showed no line in time`))));
    const limit = setTimeout(() => page.close(), PATIENCE_MS);
    return await Promise.race([page.evaluate(outcome), late]).finally(() => clearTimeout(limit));
  } finally {
    await page.close();
  }
}
