// Frames as docs/wire.md has them, of authors whom nobody knows.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";

const DOMAIN = "tincan-frame-v1:";
const MESSAGE = 1;
const PRESENCE = 2;
const BRIDGED = 3;
const KIND_OF_THE_FUTURE = 4747;

function varint(number) {
  const bytes = [];
  for (let left = BigInt(number); ; left >>= 7n) {
    if (left < 128n) return Buffer.from([...bytes, Number(left)]);
    bytes.push(Number(left & 127n) | 128);
  }
}

/** A field of bytes or text. */
export const field = (number, content) => {
  const bytes = Buffer.from(content);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
};
const count = (number, value) => Buffer.concat([varint(number << 3), varint(value)]);

/** A message with its length before it, as streams carry it. */
export const measured = (message) => Buffer.concat([varint(message.length), message]);

/** Frames of a room's log: what a sync can bring. */
export const LOGGED = 200;
/** Those of one author, where others speak too. */
export const AUTHOR_LOGGED = LOGGED / 8;

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** A peer id of an Ed25519 key, from its text. */
export function bytesOf(peerId) {
  const number = [...peerId.slice(1)].reduce((sum, digit) => sum * 58n + BigInt(BASE58.indexOf(digit)), 0n);
  return Buffer.from(`00${number.toString(16)}`, "hex");
}

/** What stands before an Ed25519 key's 32 secret bytes in PKCS #8. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
/** What stands before them in libp2p's encoding of a private key. */
const LIBP2P_BYTES = 4;

/** The keys of a private key as libp2p writes it, in hexadecimal digits. */
function keysOf(secret) {
  const seed = Buffer.from(secret, "hex").subarray(LIBP2P_BYTES, LIBP2P_BYTES + 32);
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** Somebody who signs what they say, in the order they say it: with a key of their own, or a given one. */
export class Author {
  #keys;
  #last = 0;

  constructor(secret) {
    this.#keys = secret ? keysOf(secret) : generateKeyPairSync("ed25519");
  }

  /** The key as libp2p writes it. */
  #publicKey() {
    const key = this.#keys.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
    return Buffer.concat([count(1, 1), field(2, key)]);
  }

  /** The key's identity multihash in base58: the bytes 00 24, then the key. */
  get peerId() {
    let id = "";
    for (let n = BigInt(`0x24${this.#publicKey().toString("hex")}`); n > 0n; n /= 58n) id = BASE58[n % 58n] + id;
    return `1${id}`;
  }

  #frame(room, kind, body, time, sequence = Math.max(this.#last + 1, time)) {
    const previous = kind === PRESENCE || kind === BRIDGED ? 0 : this.#last;
    if (kind !== PRESENCE && kind !== BRIDGED) this.#last = sequence;
    const numbers = [count(3, sequence), ...(previous ? [count(4, previous)] : []), count(5, time), count(6, kind)];
    const signed = Buffer.concat([field(1, room), field(2, this.#publicKey()), ...numbers, field(7, body)]);
    const signature = sign(null, Buffer.concat([Buffer.from(DOMAIN), signed]), this.#keys.privateKey);
    const bytes = Buffer.concat([Buffer.from([0xff, 0x01]), field(1, signed), field(2, signature)]);
    const id = createHash("sha256").update(signed).digest("hex");
    return { bytes, key: `frame/${Buffer.from(room).toString("hex")}/${id}` };
  }

  /** A line, said now or at a unix time in milliseconds. */
  line(room, text, { nick = "stranger", time = Date.now() } = {}) {
    return this.#frame(room, MESSAGE, Buffer.concat([field(1, nick), field(2, text)]), time);
  }

  /** What somebody says of themselves. */
  presence(room, nick, { status = "here", time = Date.now() } = {}) {
    return this.#frame(room, PRESENCE, Buffer.concat([field(1, nick), field(2, status)]), time);
  }

  /** A line from another network, in the name of anybody. */
  bridged(room, source, text, sequence) {
    const body = Buffer.concat([field(1, source), field(2, [1]), field(3, text)]);
    return this.#frame(room, BRIDGED, body, Date.now(), sequence);
  }

  /** What no Tincan can read yet. */
  newer(room) {
    return this.#frame(room, KIND_OF_THE_FUTURE, "what only a newer one can read", Date.now());
  }
}
