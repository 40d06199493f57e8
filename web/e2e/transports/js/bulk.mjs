// Much data in one direction.

import { open, pieces, whole, write } from "./streams.mjs";

const BULK = "/trial/bulk/1";
/** Bytes that are sent over and over, handed to a stream at once: smaller pieces were slower. */
const BLOCK_BYTES = 2 ** 20;
const HASH_BYTES = 32;
/** What `getRandomValues` fills at once. */
const RANDOM_BYTES = 65_536;

/** Moves so many bytes and checks their hash after the clock has stopped. */
export function bulk(connection, direction, bytes, signal) {
  if (direction === "up") return upload(connection, bytes, signal);
  if (direction === "down") return download(connection, bytes, signal);
  throw new Error(`${direction} is neither up nor down`);
}

async function upload(connection, bytes, signal) {
  const block = randomBlock();
  const data = repeated(block, bytes);
  const expected = await sha256(new Blob(data));
  const begun = performance.now();
  const stream = await open(connection, BULK, signal);
  const answered = pieces(stream);
  const sent = (async () => {
    stream.send(request("u", bytes));
    for (const piece of data) await write(stream, piece, signal);
    await stream.close({ signal });
  })();
  const [told] = await within(stream, signal, [answered, sent]);
  const ms = performance.now() - begun;
  return { ms, ok: same(await whole(told), expected) };
}

async function download(connection, bytes, signal) {
  const begun = performance.now();
  const { stream, ended } = await askFor(connection, bytes, signal);
  const [taken] = await within(stream, signal, [pieces(stream)]);
  const ms = performance.now() - begun;
  await ended;
  return { ms, ok: await isRight(taken, bytes) };
}

/** Leaves a download unread until `sent` says that it was sent for long, and reads it then. */
export async function unread(connection, bytes, sent, signal) {
  const { stream, ended } = await askFor(connection, bytes, signal, (stream) => stream.pause());
  await sent();
  const all = pieces(stream);
  stream.resume();
  const [taken] = await within(stream, signal, [all]);
  await ended;
  return { ok: await isRight(taken, bytes) };
}

async function askFor(connection, bytes, signal, before = () => {}) {
  const stream = await open(connection, BULK, signal);
  before(stream);
  stream.send(request("d", bytes));
  const ended = stream.close({ signal });
  ended.catch(() => {}); // told by whoever awaits it
  return { stream, ended };
}

/** All of these, or the signal ends the stream. */
async function within(stream, signal, all) {
  const abort = () => stream.abort(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return await Promise.all(all);
  } catch (error) {
    stream.abort(error);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function request(direction, bytes) {
  const asked = new Uint8Array(9);
  asked[0] = direction.charCodeAt(0);
  new DataView(asked.buffer).setBigUint64(1, BigInt(bytes));
  return asked;
}

function randomBlock() {
  const block = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < BLOCK_BYTES; at += RANDOM_BYTES) crypto.getRandomValues(block.subarray(at, at + RANDOM_BYTES));
  return block;
}

/** So many bytes of a block, over and over. */
function repeated(block, bytes) {
  const count = Math.ceil(bytes / block.length);
  return Array.from({ length: count }, (_, n) => block.subarray(0, bytes - n * block.length));
}

const sha256 = async (blob) => new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));

const same = (one, other) => one.length === other.length && one.every((byte, i) => byte === other[i]);

/** Whether a download is whole and has the hash that it began with. */
async function isRight(taken, bytes) {
  const all = new Blob(taken);
  if (all.size !== HASH_BYTES + bytes) throw new Error(`${all.size} bytes came, not ${HASH_BYTES + bytes}`);
  return same(new Uint8Array(await all.slice(0, HASH_BYTES).arrayBuffer()), await sha256(all.slice(HASH_BYTES)));
}
