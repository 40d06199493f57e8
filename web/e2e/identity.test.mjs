// An identity as a file: taken along to another browser, refused when it is none, warned about when it runs twice.

import assert from "node:assert/strict";
import fs from "node:fs/promises";
import { storeEntry } from "./support/cast.mjs";
import { Author } from "./support/frames.mjs";
import { address, scenario } from "./support/stage.mjs";
import { passed, until } from "./support/wait.mjs";

const ROOM = "passport";
/** What clocks of two machines may differ by without a warning. */
const CLOCK_SLACK_MS = 3_000;

async function settings(person) {
  const toggle = person.find("settings-toggle");
  await toggle.waitFor();
  if (!(await person.page.locator("details.settings").evaluate((details) => details.open))) await toggle.click();
}

/** Saves somebody's identity, and answers with the file's name and content. */
async function exported(person) {
  await settings(person);
  const [download] = await Promise.all([person.page.waitForEvent("download"), person.find("identity-export").click()]);
  return { name: download.suggestedFilename(), text: await fs.readFile(await download.path(), "utf8") };
}

async function offer(person, text, name = "identity.json") {
  await settings(person);
  await person.find("identity-import").setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
}

/** Loads an identity, and goes on as it. */
async function become(person, text, who) {
  await offer(person, text);
  await person.find("identity-offer").waitFor();
  assert.match(await person.find("identity-offer").innerText(), new RegExp(`Become ${who}.*forgets.*runs twice`, "su"));
  await Promise.all([person.page.waitForEvent("load"), person.find("identity-accept").click()]);
  await person.online();
}

for (const { name, base } of [
  { name: "on loopback", base: (hub) => hub.page },
  { name: "by another name over plain http", base: (hub) => `http://hub.test:${hub.ports.http}/` },
]) {
  scenario(`${name}: an identity saved in one browser goes on in another, with its nick and in the rooms that are there`, async (stage) => {
    const hub = await stage.hub();
    const ada = await stage.person(hub, "ada", ROOM, { base: base(hub) });
    const tom = stage.terminal("tom", ROOM, [hub.tcp]);
    await ada.lists("tom");
    await ada.say("from the first browser");
    const file = await exported(ada);
    assert.equal(file.name, `tincan-identity-${ada.peerId.slice(-6)}.json`);
    assert.equal(JSON.parse(file.text).peer_id, ada.peerId);
    const adaId = ada.peerId;
    await ada.page.close();

    const other = await stage.person(hub, "somebody", ROOM, { base: base(hub) });
    const before = other.peerId;
    await other.join("den");
    await become(other, file.text, "ada");
    assert.equal(other.peerId, adaId, "the same peer");
    assert.notEqual(other.peerId, before);
    assert.equal(await other.find("nick-input").inputValue(), "ada");
    assert.ok((await other.inRoom(ROOM)) && (await other.inRoom("den")), "the rooms of this browser stay");
    await other.openRoom(ROOM);
    await other.lists("tom");
    await other.say("from the second browser");
    await until("tom sees both as one author", () => {
      const texts = tom.textsOf(adaId);
      return texts.length === 2 && texts[1] === "from the second browser";
    });
    await other.reload();
    assert.equal(other.peerId, adaId, "and it stays so");
  });
}

scenario("records that were put here stay when this tab becomes somebody else", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  const file = await exported(ada);
  await ada.page.close();
  const bea = await stage.person(hub, "bea", ROOM);
  bea.mayLoseHub = true;
  assert.match(await bea.ask("PUT colour blue"), /^stored colour on /);
  await become(bea, file.text, "ada");
  assert.equal(bea.peerId, JSON.parse(file.text).peer_id);
  await hub.kill();
  await bea.status("online", { not: true });
  assert.equal(await bea.ask("GET colour"), "colour = blue");
});

scenario("files that are no identity are refused with the reason, and nothing changes", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  const { text } = await exported(ada);
  const own = JSON.parse(text);
  const stranger = JSON.parse((await exported(await stage.person(hub, "eve", ROOM))).text);
  const bad = [
    ["", /no Tincan identity/],
    ["hello", /no Tincan identity/],
    ["null", /no Tincan identity/],
    ["[]", /no Tincan identity/],
    ['{"peer_id": 1}', /no Tincan identity/],
    ["x".repeat(5_000), /no Tincan identity: it is too large/],
    [JSON.stringify({ ...stranger, tincan_identity: 2 }), /newer Tincan/],
    [JSON.stringify({ ...stranger, secret_key: undefined }), /damaged/],
    [JSON.stringify({ ...stranger, secret_key: `${stranger.secret_key.slice(0, -2)}zz` }), /damaged/],
    [JSON.stringify({ ...stranger, secret_key: "08" }), /damaged/],
    [JSON.stringify({ ...stranger, secret_key: own.secret_key }), /does not belong/],
    [JSON.stringify({ ...stranger, nick: "ß".repeat(40) }), /nick .* longer than 64 bytes/],
    [text, /has this identity already/],
  ];
  for (const [content, reason] of bad) {
    await offer(ada, content);
    await ada.errorSays(reason);
    assert.equal(await ada.find("identity-offer").count(), 0, String(reason));
  }

  // What is only looked at changes nothing.
  await offer(ada, JSON.stringify(stranger));
  await ada.find("identity-cancel").click();
  assert.equal(await ada.find("identity-offer").count(), 0);
  const before = ada.peerId;
  await ada.reload();
  assert.equal(ada.peerId, before);
});

scenario("each tab saves its own identity, and two tabs of a browser never get the same one", async (stage) => {
  const hub = await stage.hub();
  const profile = await stage.profile();
  const first = await stage.person(hub, "first", ROOM, { profile });
  const second = await stage.person(hub, "second", ROOM, { profile });
  const file = await exported(second);
  assert.equal(JSON.parse(file.text).peer_id, second.peerId);
  await offer(first, file.text);
  await first.errorSays(/already in this browser: its tab number 2/);
});

scenario("who gets a line that their own key signed elsewhere meanwhile is warned", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  const { text } = await exported(ada);
  await passed(CLOCK_SLACK_MS);
  const twin = new Author(JSON.parse(text).secret_key);
  assert.equal(twin.peerId, ada.peerId);
  const entry = twin.line(ROOM, "said by the other one", { nick: "ada" });

  // Somebody has heard it where the other one runs, and hands it on when they meet this hub.
  const profile = await stage.profile();
  const ida = await stage.person(hub, "ida", ROOM, { profile });
  await ida.page.route("**/favicon.ico", (route) => route.fulfill({ status: 204 }));
  await ida.page.goto(new URL("healthz", hub.page).href);
  await ida.page.evaluate(storeEntry, { key: `0/${entry.key}`, value: [...entry.bytes] });
  await ida.open(address(hub.page, ROOM));
  await ada.sees("said by the other one");
  await ada.says("Your identity also runs somewhere else.");
  assert.ok(!/runs somewhere else/.test(await ida.page.locator("body").innerText()), "others are not concerned");
});
