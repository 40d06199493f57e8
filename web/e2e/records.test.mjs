// The console of the page and `tincan kv`: the same words, the same answers, the same records.

import assert from "node:assert/strict";
import { scenario } from "./support/stage.mjs";

const ROOM = "records";
/** A record nobody may store. */
const MEBIBYTE = 1024 * 1024;
/** An address where nobody listens. */
const NOWHERE = `?hub=${encodeURIComponent("/ip4/127.0.0.1/tcp/1/ws")}`;

scenario("what one puts the others get: two pages and a terminal", async (stage) => {
  const hub = await stage.hub();
  const [ada, bob] = [await stage.person(hub, "ada", ROOM), await stage.person(hub, "bob", ROOM)];
  const kv = stage.console("tom", [hub.tcp]);
  for (const [n, [from, others]] of [[ada, [bob, kv]], [bob, [ada, kv]], [kv, [ada, bob]]].entries()) {
    assert.match(await from.ask(`PUT key${n} a value with spaces ${n}`), new RegExp(`^stored key${n} on [1-9]\\d* peers?$`));
    for (const other of others) assert.equal(await other.ask(`get key${n}`), `key${n} = a value with spaces ${n}`);
    assert.match(await from.ask(`PUT_PROVIDER thing${n}`), new RegExp(`^providing thing${n}, told [1-9]\\d* peers?$`));
    for (const other of others) {
      assert.match(await other.ask(`GET_PROVIDERS thing${n}`), new RegExp(`^providers of thing${n}: \\w+$`));
    }
  }
  const found = await kv.ask("GET_PROVIDERS thing0");
  assert.equal(found, `providers of thing0: ${ada.peerId}`);
});

scenario("answers for nothing and for mistakes are one line each, and the node goes on", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  const kv = stage.console("tom", [hub.tcp]);
  for (const [line, answer] of [
    ["GET nothing", /^not found: nothing$/],
    ["GET_PROVIDERS nothing", /^no providers: nothing$/],
    ["PUT", /^error: missing key; /],
    ["PUT key", /^error: missing value; /],
    ["GET", /^error: missing key; /],
    ["put_provider", /^error: missing key; /],
    ["GET_PROVIDERS", /^error: missing key; /],
    ["FETCH key", /^error: unknown word FETCH; /],
    [`PUT large ${"v".repeat(MEBIBYTE)}`, /^error: the value is 1048576 bytes, the limit is 8192 bytes/],
    [`GET ${"k".repeat(257)}`, /^error: keys are 1 to 256 bytes, this one has 257; /],
    ["HELP", /^words: PUT key value/],
    ["put after all fine", /^stored after on /],
    ["GET after", /^after = all fine$/],
  ]) {
    for (const one of [kv, ada]) assert.match(await one.ask(line), answer, `${line.slice(0, 40)} at ${one.name}`);
  }
  const { code } = await kv.endInput();
  assert.equal(code, 1, "a line was an error");
});

scenario("a page that reaches nobody keeps records and providers for itself, and says so", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.somebody("ada");
  ada.mayLoseHub = true;
  await ada.page.goto(`${hub.page}${NOWHERE}#room=${ROOM}`);
  await ada.status("online", { not: true });
  assert.equal(await ada.ask("PUT lonely a value"), "stored lonely here only: no peers yet");
  assert.equal(await ada.ask("GET lonely"), "lonely = a value");
  assert.equal(await ada.ask("PUT_PROVIDER lonely"), "providing lonely here only: no peers yet");
  assert.equal(await ada.ask("GET_PROVIDERS lonely"), `providers of lonely: ${await ada.id()}`);
});
