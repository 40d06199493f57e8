// A frame proves itself to anybody: the JavaScript that docs/wire.md shows, run by js-libp2p peers.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import fs from "node:fs/promises";
import test from "node:test";
import { verifyFrame } from "./js-peer/verify-frame.mjs";
import { jsPage, jsProcess } from "./support/js.mjs";
import { scenario } from "./support/stage.mjs";

const ROOM = "proof";
const read = (path) => fs.readFile(new URL(path, import.meta.url), "utf8");
const wire = await read("../../docs/wire.md");
const vector = (name) => new RegExp(`^${name}: (\\w+)$`, "m").exec(wire)?.[1] ?? assert.fail(`docs/wire.md has no vector ${name}`);
const bytes = (name) => Uint8Array.from(Buffer.from(vector(name), "hex"));

/** What the vectors say, in the document's own words. */
const VECTORS = {
  frame: { kind: 1n, sequence: 1700000000001n, said: "hello" },
  presence: { kind: 2n, sequence: 1700000000002n, said: "here" },
  bridged: { kind: 3n, sequence: 1700000000003n, nick: "", said: "from afar" },
};
const expected = (name) => ({ author: vector("author"), previous: 0n, time: 1700000000000n, nick: "ann", ...VECTORS[name] });
const refuses = (payload, room, why) => assert.rejects(verifyFrame(payload, room), why);

// Node 18 has it, but not by this name.
globalThis.crypto ??= webcrypto;

/** A protobuf message of these fields: numbers as varints, all else as bytes. */
const message = (fields) =>
  Object.entries(fields).flatMap(([tag, value]) =>
    typeof value === "number" ? [tag << 3, ...varint(value)] : [(tag << 3) | 2, ...varint(value.length), ...Buffer.from(value)],
  );
const varint = (value) => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)]);

/** A frame of a key of its own with these fields, in the room `lobby` unless they say otherwise. */
async function signed(fields) {
  const { publicKey, privateKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const author = [8, 1, 0x12, 32, ...new Uint8Array(await crypto.subtle.exportKey("raw", publicKey))];
  const part = message({ 1: "lobby", 2: author, 3: 2, 4: 1, 5: 3, 6: 1, 7: message({ 1: "n", 2: "t" }), ...fields });
  const covered = Uint8Array.from([...Buffer.from("tincan-frame-v1:"), ...part]);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, covered));
  return Uint8Array.from([0xff, 1, ...message({ 1: part, 2: signature })]);
}

test("the document shows the very code that is tested here", async () => {
  const [, shown] = /^## Verifying a frame elsewhere$[\s\S]*?^```js\n([\s\S]*?)^```$/m.exec(wire) ?? [];
  assert.equal(shown, await read("js-peer/verify-frame.mjs"));
});

test("every vector verifies; no flipped bit, no cut, no other room and no other version does", async () => {
  const named = [...wire.matchAll(/^(\w+): ff01[0-9a-f]+$/gm)].map(([, name]) => name);
  assert.deepEqual(named, Object.keys(VECTORS), "the document has these and no others");
  for (const name of named) {
    const frame = bytes(name);
    const { id, ...found } = await verifyFrame(frame, "lobby");
    assert.deepEqual(found, expected(name));
    if (name === "frame") assert.equal(id, vector("id"));
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const flipped = frame.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      await refuses(flipped, "lobby", undefined);
    }
    for (let end = 0; end < frame.length; end++) await refuses(frame.subarray(0, end), "lobby", undefined);
    await refuses(frame, "lounge", /another room/);
  }
  const [frame, presence] = [bytes("frame"), bytes("presence")];
  await refuses(Uint8Array.from([0xff, 2, ...frame.subarray(2)]), "lobby", /version/);
  await refuses(new TextEncoder().encode("hello"), "lobby", /version/);
  const mixed = Uint8Array.from([...frame.subarray(0, -64), ...presence.subarray(-64)]);
  await refuses(mixed, "lobby", /signature/);
});

test("a frame that is signed well and breaks a bound does not verify", async () => {
  const body = (nick, text) => message({ 1: nick, 2: text });
  const bridged = (source, number, text) => ({ 4: 0, 6: 3, 7: message({ 1: source, 2: number, 3: text }) });
  const presence = (status) => ({ 4: 0, 6: 2, 7: body("n", status) });
  const fine = [{}, { 7: body("", "x".repeat(4096)) }, { 7: body("n".repeat(64), "t") }, presence("s".repeat(64)), bridged("s".repeat(64), "n", "t"), { 6: 9, 7: [] }, { 99: 1 }];
  for (const fields of fine) await verifyFrame(await signed(fields), "lobby");
  const bad = [
    { 7: body("n", "x".repeat(4097)) },
    { 7: body("n", "") },
    { 7: body("n".repeat(65), "t") },
    { 4: 3 },
    presence("s".repeat(65)),
    bridged("", "n", "t"),
    bridged("s", "n".repeat(65), "t"),
    bridged("s", "n", ""),
    { ...presence("s"), 99: "x".repeat(512) },
    { 7: body("n", [0xff]) },
    { 7: [0xff] },
  ];
  for (const fields of bad) await refuses(await signed(fields), "lobby", undefined);
  await refuses(await signed({ 1: "lounge" }), "lobby", /another room/);
  await refuses(await signed({ 2: [8, 2, 0x12, 32, ...new Uint8Array(32)] }), "lobby", /Ed25519/);
  await refuses(await signed({ 99: "x".repeat(6144) }), "lobby", /version/);
});

scenario("a js page and a js process verify the vectors, and the frames that our page and terminal send", async (stage) => {
  const hub = await stage.hub();
  const ada = await stage.person(hub, "ada", ROOM);
  const tom = stage.terminal("tom", ROOM, [hub.tcp]);
  const tomId = (await ada.lists("tom")).peer;
  const crew = await Promise.all([jsPage(stage, "jan"), jsProcess(stage, "jun")]);
  for (const js of crew) {
    for (const name of Object.keys(VECTORS)) {
      const seen = await js.ask("verify", [...bytes(name)], "lobby");
      assert.deepEqual([seen.author, seen.said], [vector("author"), VECTORS[name].said]);
      assert.match((await js.ask("verify", [...bytes(name)], ROOM)).refused, /another room/);
    }
    await js.enter(hub.ws, ROOM);
    await js.ask("say", ROOM, `${js.name} is here`);
    await ada.sees(`${js.name} is here`);
  }
  const before = Date.now();
  await ada.say("proven");
  tom.say("proven as well");
  await ada.takeNick("ada the second");
  for (const js of crew) {
    const { frame } = await js.hears((line) => line.frame?.said === "proven");
    assert.deepEqual([frame.author, frame.nick, frame.kind], [ada.peerId, "ada", "1"]);
    assert.ok(Math.abs(Number(frame.time) - before) < 60_000 && BigInt(frame.sequence) >= BigInt(frame.time), "numbered by its time");
    const other = await js.hears((line) => line.frame?.said === "proven as well");
    assert.equal(other.frame.author, tomId);
    const presence = await js.hears((line) => line.frame?.nick === "ada the second");
    assert.deepEqual([presence.frame.author, presence.frame.kind, presence.frame.said], [ada.peerId, "2", "here"]);
  }
});
