// Reading and writing whole js-libp2p streams.

import { MOST_STREAMS } from "./node.mjs";

export const open = (connection, protocol, signal) =>
  connection.newStream(protocol, { signal, maxOutboundStreams: MOST_STREAMS });

/**
 * Everything that comes until the other side ends, as pieces. The library's own iterator never ends when that end came
 * before it began.
 */
export function pieces(stream) {
  const all = [];
  return new Promise((resolve, reject) => {
    const ended = () => ["reset", "aborted"].includes(stream.status) || resolve(all);
    stream.addEventListener("message", ({ data }) => all.push(...data));
    stream.addEventListener("end", ended);
    stream.addEventListener("close", ({ error }) => error && reject(error));
    if (stream.readableEnded) ended();
  });
}

export const whole = async (pieces) => new Uint8Array(await new Blob(pieces).arrayBuffer());

/** Hands a piece to a stream; answers when it takes more. */
export async function write(stream, piece, signal) {
  if (!stream.send(piece)) await drained(stream, signal);
}

function drained(stream, signal) {
  return new Promise((resolve, reject) => {
    const listening = new AbortController();
    const ended = (error) => (listening.abort(), error ? reject(error) : resolve());
    stream.addEventListener("drain", () => ended(), listening);
    const closed = ({ error }) => ended(error ?? new Error("the stream closed while it was written"));
    stream.addEventListener("close", closed, listening);
    signal.addEventListener("abort", () => ended(signal.reason), listening);
  });
}

/** Says everything and ends; answers all that came back until the other side ended. */
export async function exchange(connection, protocol, said, signal) {
  const stream = await open(connection, protocol, signal);
  const abort = () => stream.abort(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    const heard = pieces(stream);
    // Over WebRTC the end waits for an acknowledgement: the answer may come before it.
    const ended = (async () => {
      if (said.length > 0) await write(stream, said, signal);
      await stream.close({ signal });
    })();
    const [answer] = await Promise.all([heard, ended]);
    signal.throwIfAborted();
    return await whole(answer);
  } catch (error) {
    stream.abort(error);
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
