// The module's way to the browser.

import assert from "node:assert/strict";
import { scenario } from "./support/stage.mjs";

scenario("the module comes compressed to whom takes it so, and is kept for good", async (stage) => {
  const hub = await stage.hub();
  const index = await (await fetch(hub.page)).text();
  const module = new URL(index.match(/tincan-web-[0-9a-f]+_bg\.wasm/)[0], hub.page);
  const ask = async (encoding) => {
    const response = await fetch(module, { headers: { "accept-encoding": encoding } });
    const bytes = (await response.arrayBuffer()).byteLength;
    return { ...Object.fromEntries(response.headers), bytes };
  };
  const [brotli, gzip, plain] = [await ask("gzip, br"), await ask("gzip"), await ask("identity")];
  assert.deepEqual(
    [brotli, gzip, plain].map((answer) => answer["content-encoding"]),
    ["br", "gzip", undefined],
  );
  assert.ok(Number(brotli["content-length"]) < Number(gzip["content-length"]));
  assert.ok(Number(gzip["content-length"]) < plain.bytes / 2);
  assert.equal(brotli.bytes, plain.bytes, "unpacked it is the same module");
  assert.match(plain["cache-control"], /immutable/);
  assert.equal(plain["content-type"], "application/wasm");
});
