// One Kademlia: what js-libp2p puts and provides is found by ours, and the other way round.

import assert from "node:assert/strict";
import { jsPage, jsProcess } from "./support/js.mjs";
import { scenario } from "./support/stage.mjs";

/** A provider's key is a multihash to js-libp2p and any text to Tincan. This is both: code `p`, length `2`, 50 bytes. */
const thing = (name) => `p2${name.padEnd(50, "-")}`;

scenario("records and providers of js peers, a page and a console are found by each other", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", "records");
  const kv = stage.console("tom", [hub.tcp]);
  const crew = await Promise.all([jsPage(stage, "jan"), jsProcess(stage, "jun")]);
  for (const [n, js] of crew.entries()) {
    await js.ask("join", hub.ws);
    const key = `/tincan/js-${n}`;
    assert.ok((await js.ask("put", key, `of js ${n}`)).includes(hub.peerId), "the hub says that it keeps it");
    for (const ours of [kv, ada]) assert.equal(await ours.ask(`GET ${key}`), `${key} = of js ${n}`);
    assert.deepEqual(await js.ask("provide", thing(key)), [hub.peerId]);
    for (const ours of [kv, ada]) {
      assert.equal(await ours.ask(`GET_PROVIDERS ${thing(key)}`), `providers of ${thing(key)}: ${js.peerId}`);
    }
  }

  for (const [n, ours] of [kv, ada].entries()) {
    const key = `/tincan/ours-${n}`;
    assert.match(await ours.ask(`PUT ${key} ours ${n}`), /^stored .* on [1-9]\d* peers?$/);
    for (const js of crew) assert.equal(await js.ask("get", key), `ours ${n}`);
    assert.match(await ours.ask(`PUT_PROVIDER ${thing(key)}`), /^providing .*, told [1-9]\d* peers?$/);
    const [found, same] = await Promise.all(crew.map((js) => js.ask("providers", thing(key))));
    assert.deepEqual(found, same);
    assert.equal(await kv.ask(`GET_PROVIDERS ${thing(key)}`), `providers of ${thing(key)}: ${found}`);
    if (ours === ada) assert.deepEqual(found, [ada.peerId]);
  }

  const [jan, jun] = crew;
  assert.equal(await jun.ask("get", "/tincan/js-0"), "of js 0", "js peers find each other's through the hub");
  assert.deepEqual(await jan.ask("providers", thing("/tincan/js-1")), [jun.peerId]);
  assert.equal(await jan.ask("get", "/tincan/nobody-put-this"), null);
});
