// The implementations that run natively, and the words by which each hub and dialer is started.

import { execFile } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Process } from "../../support/child.mjs";

const GO_SOURCE = fileURLToPath(new URL("../../../../node-native/tests/go", import.meta.url));
/** How long the go-libp2p peer may take to build; the first time it fetches what it is made of. */
const BUILD_MS = 900_000;

/** Those of the Rust program differ in whose WebRTC they speak. */
export const rust = (transports) => {
  const program = process.env.TRIAL_BIN;
  const peer = (call, ...words) => ["peer", call, "--transports", transports, ...words];
  return {
    program,
    missing: program ? undefined : "TRIAL_BIN names no binary",
    hub: ["hub", "--transports", transports],
    join: (address, pings) => peer("join", "--pings", `${pings}`, address),
    bulk: (address, direction, bytes) => peer("bulk", address, direction, `${bytes}`),
    idle: (address, count) => peer("idle", address, `${count}`),
  };
};

const go = (program, missing) => ({
  program,
  missing,
  hub: ["trial", "hub"],
  join: (address, pings) => ["trial", "join", address, "--pings", `${pings}`],
  bulk: (address, direction, bytes) => ["trial", "bulk", address, direction, `${bytes}`],
  idle: (address, count) => ["trial", "idle", address, `${count}`],
});

/** All of them, by name; the one of Go is built into a directory, if it is among those that are needed. */
export async function programs(directory, needed = new Set(["go"])) {
  const mine = { ours: rust("ours"), stock: rust("stock") };
  if (!needed.has("go")) return mine;
  const built = path.join(directory, process.platform === "win32" ? "go-peer.exe" : "go-peer");
  // Not every checkout is one that Go can ask its version control about.
  const words = ["build", "-buildvcs=false", "-o", built, "."];
  const missing = await promisify(execFile)("go", words, { cwd: GO_SOURCE, timeout: BUILD_MS }).then(
    () => undefined,
    (error) => (error.code === "ENOENT" ? "go is not installed" : `the go-libp2p peer does not build: ${error.stderr}`),
  );
  return { ...mine, go: go(built, missing) };
}

/** Starts a hub; answers once it listens. */
export async function startHub(name, { program, missing, hub }) {
  if (missing) throw new Error(missing);
  const process = new Process(`${name} hub`, program, hub);
  const told = await Promise.race([
    process.line(/^\{/),
    process.exit.then(() => Promise.reject(new Error(`the ${name} hub ended: ${process.err.at(-1)}`))),
  ]);
  return { ...JSON.parse(told), process, end: () => process.kill() };
}
