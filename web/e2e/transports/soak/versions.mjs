// What a soak ran.

import { execFileSync } from "node:child_process";
import fs from "node:fs/promises";
import { trialBrowser } from "../trial.mjs";

const ROOT = new URL("../../../../", import.meta.url);
/** Crates whose versions tell what the native programs are made of. */
const CRATES = ["tincan-webrtc", "libp2p", "str0m", "libp2p-webrtc"];

async function browserVersion(options) {
  const browser = await trialBrowser(options).catch(() => undefined);
  if (!browser) return "not installed";
  try {
    // Firefox says its name too.
    return (await browser.version()).replace(/^\D+/, "");
  } finally {
    await browser.close();
  }
}

const read = (path) => fs.readFile(new URL(path, ROOT), "utf8");

/** Versions by name. */
export async function versions() {
  const lock = await read("Cargo.lock");
  const crate = (name) => new RegExp(`^name = "${name}"\\nversion = "(.+)"`, "m").exec(lock)?.[1] ?? "absent";
  const { dependencies } = JSON.parse(await read("web/e2e/package.json"));
  const [, go] = /go-libp2p v(\S+)/.exec(await read("node-native/tests/go/go.mod"));
  return {
    Chromium: await browserVersion({}),
    Firefox: await browserVersion({ firefox: true }),
    ...Object.fromEntries(CRATES.map((name) => [name, crate(name)])),
    "go-libp2p": go,
    "js-libp2p": dependencies.libp2p,
    Go: execFileSync("go", ["env", "GOVERSION"], { encoding: "utf8" }).trim().replace(/^go/, ""),
    Node: process.versions.node,
  };
}
