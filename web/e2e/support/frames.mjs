// A frame as docs/wire.md has it, of a kind that no Tincan knows yet.

import { createHash, generateKeyPairSync, sign } from "node:crypto";

const DOMAIN = "tincan-frame-v1:";
const KIND_OF_THE_FUTURE = 4747;

function varint(number) {
  const bytes = [];
  for (let left = BigInt(number); ; left >>= 7n) {
    if (left < 128n) return Buffer.from([...bytes, Number(left)]);
    bytes.push(Number(left & 127n) | 128);
  }
}
const field = (number, bytes) => Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
const count = (number, value) => Buffer.concat([varint(number << 3), varint(value)]);

/** A signed frame of an author nobody knows, and the name a node stores it by. */
export function newerFrame(room) {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const key = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const author = Buffer.concat([count(1, 1), field(2, key)]);
  const now = Date.now();
  const signed = Buffer.concat([
    field(1, Buffer.from(room)),
    field(2, author),
    count(3, now),
    count(5, now),
    count(6, KIND_OF_THE_FUTURE),
    field(7, Buffer.from("what only a newer one can read")),
  ]);
  const signature = sign(null, Buffer.concat([Buffer.from(DOMAIN), signed]), privateKey);
  const bytes = Buffer.concat([Buffer.from([0xff, 0x01]), field(1, signed), field(2, signature)]);
  const id = createHash("sha256").update(signed).digest("hex");
  return { bytes, key: `frame/${Buffer.from(room).toString("hex")}/${id}` };
}
