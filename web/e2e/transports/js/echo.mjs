// Small streams in both directions.

import { exchange, pieces, whole, write } from "./streams.mjs";

export const ECHO = "/trial/echo/1";
const ASK = "/trial/ask/1";
/** What an echo gives back at most. */
const MOST_BYTES = 64 * 1024;
/** How long it may take to give something back. */
const LIMIT_MS = 10_000;

export async function answerEcho(stream) {
  const signal = AbortSignal.timeout(LIMIT_MS);
  try {
    const said = await whole(await pieces(stream));
    if (said.length > MOST_BYTES) throw new Error(`${said.length} bytes are more than ${MOST_BYTES}`);
    await write(stream, said, signal);
    await stream.close({ signal });
  } catch (error) {
    stream.abort(error);
  }
}

/** Sends so many bytes, and fails unless they come back. */
export async function echo(connection, bytes, signal) {
  const said = crypto.getRandomValues(new Uint8Array(bytes));
  const heard = await exchange(connection, ECHO, said, signal);
  if (heard.length !== bytes || heard.some((byte, i) => byte !== said[i])) {
    throw new Error(`${heard.length} bytes came back, or others than the ${bytes} sent`);
  }
}

/** Has the hub try an echo of this node's. */
export async function ask(connection, signal) {
  const verdict = new TextDecoder().decode(await exchange(connection, ASK, new Uint8Array(), signal));
  if (verdict !== "ok") throw new Error(`the hub says ${JSON.stringify(verdict)}`);
}
