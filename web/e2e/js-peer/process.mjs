// The js peer as a process: a line of JSON with a question in, a line with its answer out.

import { createInterface } from "node:readline";
import { Peer } from "./peer.mjs";

const peer = new Peer();
const lines = createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  const { id, call, words } = JSON.parse(line);
  const answer = await new Promise((resolve) => resolve(peer[call](...words))).then(
    (answer) => ({ answer: answer ?? null }),
    (error) => ({ error: String(error) }),
  );
  process.stdout.write(`${JSON.stringify({ id, ...answer })}\n`);
});
lines.on("close", () => process.exit());
