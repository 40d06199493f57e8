// A bridge that lies: it brings a line in the name of somebody honest.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { verifyFrame } from "./js-peer/verify-frame.mjs";
import { Author, bytesOf } from "./support/frames.mjs";
import { jsProcess } from "./support/js.mjs";
import { scenario } from "./support/stage.mjs";

const ROOM = "bridge";
const LIE = "I owe the liar a beer";
/** The highest number there is: whose lines are sorted by it stands last for ever. */
const HIGHEST = 2n ** 64n - 1n;

// Node 18 has it, but not by this name.
globalThis.crypto ??= webcrypto;

scenario("a line in another's name is shown as the bridge's claim, and does not disturb the other's lines", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  const bob = await stage.person(hub, "bob", ROOM);
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  await Promise.all([ada.lists("tom"), bob.lists("ada")]);
  await ada.say("first");
  await bob.sees("first");
  const jan = await jsProcess(stage, "jan");
  await jan.enter(hub.ws, ROOM);
  const forged = new Author().bridged(ROOM, bytesOf(ada.peerId), LIE, HIGHEST);
  await jan.ask("publish", ROOM, [...forged.bytes]);
  await Promise.all([bob.sees(LIE), ada.sees(LIE)]);
  for (const text of ["second", "third"]) {
    await ada.say(text);
    await bob.sees(text);
  }

  const { author: signer } = await verifyFrame(forged.bytes, ROOM);
  for (const person of [ada, bob]) {
    assert.deepEqual((await person.messages()).map(({ text }) => text), ["first", LIE, "second", "third"], "in the order said");
    assert.deepEqual(await person.textsOf(ada.peerId), ["first", "second", "third"]);
    const line = person.page.locator(`[data-testid="message"][data-from="${signer}"]`);
    assert.equal(await line.getAttribute("data-claimed"), ada.peerId);
    const heading = await line.locator(".heading").innerText();
    for (const part of [`…${ada.peerId.slice(-6)} via bridge`, `…${signer.slice(-6)}`, "not verified"]) assert.ok(heading.includes(part), heading);
    assert.ok(!/ada|you/.test(heading), heading);
  }
  const printed = (text) => tom.line(new RegExp(`^\\[${ROOM}\\] ${text}$`));
  await printed(`${ada.peerId.slice(-6)} via bridge \\(${signer.slice(-6)}\\): ${LIE}`);
  await printed(`ada \\(${ada.peerId.slice(-6)}\\): third`);
});
