// What a page asks its hub before its module is there.

import assert from "node:assert/strict";
import { scenario } from "./support/stage.mjs";

const ROOM = "ahead";

scenario("a page asks ahead who its hub is, unless its address names other hubs", async (stage) => {
  const hub = await stage.hub();
  const visit = async (query) => {
    const person = await stage.somebody("ada");
    const asked = [];
    person.page.on("request", (request) => {
      if (new URL(request.url()).pathname === "/api/v1/node") asked.push(request.url());
    });
    await person.open(`${hub.page}${query}#room=${ROOM}`);
    const links = await person.page.locator('link[rel=preload][href*="api/v1/node"]').count();
    return { asked: asked.length, links };
  };
  const plain = await visit("");
  assert.equal(plain.links, 1);
  assert.ok(plain.asked >= 1);
  assert.deepEqual(await visit(`?hub=${encodeURIComponent(hub.ws)}`), { asked: 0, links: 0 }, "nothing is asked in vain");
});
