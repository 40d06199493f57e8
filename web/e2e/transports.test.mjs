// Transports between pages, native peers and a trial hub, in short; `cargo xtask soak transports` does the same for long.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import test, { after } from "node:test";
import { rust } from "./transports/bench/programs.mjs";
import { FIREFOX } from "./transports/browsers.mjs";
import { outerAddress } from "./transports/doorway.mjs";
import { cycles } from "./transports/soak/cycles.mjs";
import { flood } from "./transports/soak/flood.mjs";
import { Sites, on } from "./transports/soak/ground.mjs";
import { nativeJoins, pageJoins } from "./transports/soak/joins.mjs";
import { kills } from "./transports/soak/kills.mjs";
import { PLACES, streams, unread } from "./transports/soak/streams.mjs";
import { farUpload } from "./transports/soak/uploads.mjs";

for (const name of ["TRIAL_BIN", "TRIAL_PAGE"]) {
  if (!process.env[name]) throw new Error(`${name} is not set; \`cargo xtask test transports\` builds what it names`);
}

const LIMIT_MS = 120_000;
const TRANSPORTS = ["ws", "webrtc"];
/** A debug build on a busy machine: how late joins are is told by the soak. */
const SMALL_FLOOD = {
  baseline: 20,
  paths: [{ rttMs: 20, lanes: 2 }],
  floods: [{ kind: "mixed", rate: 200, held: false, honest: 50 }],
};

const programs = { ours: rust("ours"), stock: rust("stock") };
const sites = new Sites();
after(() => sites.end());

/** A test of one part, on a ground of its own. */
function trial(name, part, { skip = false } = {}) {
  test(name, { timeout: LIMIT_MS, skip }, () => on({ programs, sites }, part));
}

function assertHolds({ what, hold, got, figures, failures, holds }) {
  assert.ok(holds, [`${what}: held ${hold}; got ${got}; ${figures}`, ...failures].join("\n  "));
}

for (const nomangle of [false, true]) {
  trial(`our page joins over webrtc-direct 10 times of 10, ${nomangle ? "with NoSdpMangleUfrag" : "Chromium as it is"}`, async (ground) => {
    assertHolds(await pageJoins(ground, { what: "joins", transport: "webrtc", browser: { nomangle }, count: 10 }));
  });
}

for (const transport of TRANSPORTS) {
  const absent = !existsSync(FIREFOX) && `${FIREFOX} is not there; FIREFOX names another`;
  const inward = transport === "webrtc" && !outerAddress() && "this machine has loopback addresses alone, by which Firefox dials nobody";
  trial(
    `our page joins from Firefox over ${transport}`,
    async (ground) => {
      assertHolds(await pageJoins(ground, { what: "joins", transport, browser: { firefox: true }, count: 2 }));
    },
    { skip: absent || inward },
  );

  trial(`a page that connects and hangs up 20 times over ${transport} leaves nothing behind, here or at the hub`, async (ground) => {
    assertHolds(await cycles(ground, { transport, warm: 5, count: 20 }));
  });

  trial(`a killed hub is known to be gone in time over ${transport}`, async (ground) => {
    assertHolds(await kills(ground, { transport, count: 1 }));
  });

  for (const place of Object.keys(PLACES)) {
    trial(`200 streams, 50 at once, are all echoed over ${transport}, ${place}`, async (ground) => {
      assertHolds(await streams(ground, { place, transport, count: 200, atOnce: 50 }));
    });

    trial(`1 MiB that lies unread is whole in the end over ${transport}, ${place}`, async (ground) => {
      assertHolds(await unread(ground, { place, transport, name: "1 MiB", bytes: 2 ** 20, count: 1 }));
    });
  }
}

// A browser's sending window grows by acknowledgements: too few of them, and this takes 40 s on the fastest machine.
for (const [page, transports] of [
  ["ours", "Tincan's page"],
  ["js", "a js-libp2p page"],
]) {
  trial(`${transports} uploads at 1 MiB/s over 50 ms by webrtc-direct`, async (ground) => {
    assertHolds(await farUpload(ground, { page, path: "50ms", bytes: 4 * 2 ** 20, least: 2 ** 20 }));
  });
}

for (const [dialer, hub] of [
  ["stock", "ours"],
  ["ours", "stock"],
]) {
  trial(`a ${dialer} peer joins a hub of ${hub} by webrtc-direct 5 times of 5`, async (ground) => {
    assertHolds(await nativeJoins(ground, { dialer, hub, version: 1, count: 5 }));
  });
}

trial("a small flood keeps none of 50 honest peers out and costs the hub little memory", async (ground) => {
  const rows = await flood(ground, SMALL_FLOOD);
  for (const row of rows) assertHolds(row);
  for (const { what, ok, count, failures } of rows) assert.equal(ok, count, [what, ...failures].join("\n  "));
});
