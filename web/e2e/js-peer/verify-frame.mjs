const PREFIX = new TextEncoder().encode("tincan-frame-v1:");
const ED25519 = [0x08, 0x01, 0x12, 0x20]; // a libp2p PublicKey: type 1, then 32 bytes of key
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const refuse = (why) => { throw new Error(why); };
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const text = (bytes = []) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));

/** A message's fields by number: varints as BigInt, bytes as they are. The last of a number counts. */
function decode(bytes) {
  const fields = {};
  let at = 0;
  const take = (count) => (at + count <= bytes.length ? bytes.subarray(at, (at += count)) : refuse("cut short"));
  const varint = (shift = 0n) => {
    const [byte] = take(1);
    if (byte >= 0x80 && shift === 63n) refuse("a varint without end");
    return (BigInt(byte & 0x7f) << shift) | (byte < 0x80 ? 0n : varint(shift + 7n));
  };
  const readers = { 0: varint, 1: () => take(8), 2: () => take(Number(varint())), 5: () => take(4) };
  while (at < bytes.length) {
    const tag = varint();
    fields[tag >> 3n] = (readers[tag & 7n] ?? (() => refuse("no protobuf")))();
  }
  return fields;
}

/** What a room's payload says when it is a frame that verifies; throws when it is not. */
export async function verifyFrame(payload, room) {
  if (payload[0] !== 0xff || payload[1] !== 0x01 || payload.length > 6144) refuse("no frame of version 1");
  const { 1: signed = [], 2: signature = [] } = decode(payload.subarray(2));
  const { 1: name, 2: author = [], 6: kind = 0n, 7: body = [], ...numbers } = decode(signed);
  const { 3: sequence = 0n, 4: previous = 0n, 5: time = 0n } = numbers;
  if (text(name) !== room) refuse("a frame of another room");
  if (author.length !== 36 || ED25519.some((byte, i) => author[i] !== byte)) refuse("no Ed25519 key");
  const key = await crypto.subtle.importKey("raw", author.subarray(4), "Ed25519", false, ["verify"]);
  const covered = Uint8Array.from([...PREFIX, ...signed]);
  if (!(await crypto.subtle.verify("Ed25519", key, signature, covered))) refuse("not the author's signature");
  const parts = kind >= 1n && kind <= 3n ? decode(body) : {};
  const [nick = [], said = []] = kind === 3n ? [[], parts[3]] : [parts[1], parts[2]];
  const within = (bytes = [], least, most) => bytes.length >= least && bytes.length <= most;
  const fits = {
    1: within(said, 1, 4096),
    2: within(said, 0, 64) && payload.length <= 512,
    3: within(parts[1], 1, 64) && within(parts[2], 1, 64) && within(said, 1, 4096),
  };
  if (fits[kind] === false || nick.length > 64 || previous > sequence) refuse("out of bounds");
  let peerId = ""; // base58 of the key behind an identity multihash's 00 24
  for (let n = BigInt(`0x24${hex(author)}`); n > 0n; n /= 58n) peerId = BASE58[n % 58n] + peerId;
  const id = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", signed)));
  return { id, author: `1${peerId}`, sequence, previous, time, kind, nick: text(nick), said: text(said) };
}
