// Frames as docs/wire.md has them, that no Tincan of today says: of a kind to come, or of a bridge that lies.

import { createHash, generateKeyPairSync, sign } from "node:crypto";

const DOMAIN = "tincan-frame-v1:";
const KIND_BRIDGED = 3;
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

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** A peer id of an Ed25519 key, from its text. */
export function bytesOf(peerId) {
  const number = [...peerId.slice(1)].reduce((sum, digit) => sum * 58n + BigInt(BASE58.indexOf(digit)), 0n);
  return Buffer.from(`00${number.toString(16)}`, "hex");
}

/** A signed frame of an author nobody knows, and the name a node stores it by. */
export function signedFrame(room, { kind, body, sequence = Date.now() }) {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const key = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const author = Buffer.concat([count(1, 1), field(2, key)]);
  const signed = Buffer.concat([
    field(1, Buffer.from(room)),
    field(2, author),
    count(3, sequence),
    count(5, Date.now()),
    count(6, kind),
    field(7, body),
  ]);
  const signature = sign(null, Buffer.concat([Buffer.from(DOMAIN), signed]), privateKey);
  const bytes = Buffer.concat([Buffer.from([0xff, 0x01]), field(1, signed), field(2, signature)]);
  const id = createHash("sha256").update(signed).digest("hex");
  return { bytes, key: `frame/${Buffer.from(room).toString("hex")}/${id}` };
}

/** A frame that only a later Tincan can read. */
export const newerFrame = (room) =>
  signedFrame(room, { kind: KIND_OF_THE_FUTURE, body: Buffer.from("what only a newer one can read") });

/** A frame that brings a line from another network, in the name of anybody. */
export const bridgedFrame = (room, source, text, sequence) =>
  signedFrame(room, { kind: KIND_BRIDGED, body: Buffer.concat([field(1, source), field(2, Buffer.from([1])), field(3, Buffer.from(text))]), sequence });
