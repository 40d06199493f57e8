// However long the path, a dial is one dial: no second transport and no second version beside one that is on its way.

import assert from "node:assert/strict";
import test from "node:test";
import { address, scenario } from "./support/stage.mjs";
import { slowPath } from "./transports/proxy.mjs";
import { TrialPage, trialBrowser, trialHub, trialSite } from "./transports/trial.mjs";

const DIALS = process.env.TINCAN_NIGHTLY ? 20 : 6;
const RTTS_MS = [100, 300];
const LIMIT_MS = 180_000;
/** Page, module and handshakes come over the long path, on a machine that may be busy. */
const ONLINE_WITHIN_MS = 90_000;

/** Runs in the page before anything of its own: what it makes to reach somebody. */
function watch() {
  globalThis.dials = [];
  for (const name of ["WebSocket", "RTCPeerConnection"]) {
    globalThis[name] = new Proxy(globalThis[name], {
      construct(target, words) {
        globalThis.dials.push(name);
        return new target(...words);
      },
    });
  }
}

for (const rttMs of RTTS_MS) {
  scenario(`${rttMs} ms from its hub, a page dials one of its addresses, ${DIALS} times of ${DIALS}`, async (stage) => {
    const hub = await stage.hub();
    const { base, peers } = await stage.far(hub, { rttMs, loss: 0 });
    const ada = await stage.somebody("ada");
    await ada.page.addInitScript(watch);
    for (let dial = 1; dial <= DIALS; dial++) {
      await ada.page.goto("about:blank");
      await ada.page.goto(address(base, "far"));
      await ada.status("online", { within: ONLINE_WITHIN_MS });
      assert.deepEqual(await ada.page.evaluate(() => globalThis.dials), ["WebSocket"]);
    }
    assert.equal(peers.connections(), DIALS);
  });
}

/** Connects a page to a trial hub by WebRTC-direct over a long path, so many times. */
async function webrtcDials(t, transports, rttMs, count) {
  const hub = await trialHub({ transports });
  t.after(() => hub.end());
  const port = Number(/\/udp\/(\d+)\//.exec(hub.webrtc)[1]);
  const path = await slowPath({ udp: port }, { rttMs, loss: 0 });
  t.after(() => path.end());
  const site = await trialSite("ours");
  t.after(() => site.end());
  const browser = await trialBrowser();
  t.after(() => browser.close());
  const page = await TrialPage.open(browser, site.url);
  await page.call("cycles", hub.webrtc.replace(`/udp/${port}/`, `/udp/${path.udp}/`), count);
  return path.handshakes();
}

for (const rttMs of RTTS_MS) {
  test(`${rttMs} ms away, a page dials WebRTC-direct by version 2 alone, ${DIALS} times of ${DIALS}`, { timeout: LIMIT_MS }, async (t) => {
    assert.equal(await webrtcDials(t, "ours", rttMs, DIALS), DIALS, "handshakes");
  });
}

test("a listener of libp2p's own crate, which knows version 1 alone, is reached by a page 300 ms away", { timeout: LIMIT_MS }, async (t) => {
  assert.equal(await webrtcDials(t, "stock", 300, 3), 3, "handshakes");
});
