// The browsers that trials are opened in. Both give pages with `goto`, `evaluate`, `on` and `close`.

import { chromium } from "playwright-core";
import { BROWSER } from "../support/browser.mjs";

/** What is coming to Chromium: a page may not rewrite the ICE credentials of its own description. */
const NO_MANGLE = "--force-fieldtrials=WebRTC-NoSdpMangleUfrag/Enabled/";

export const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

/**
 * Firefox leaves loopback out of ICE unless it is told not to; and of a page that may not use a camera it takes only the
 * addresses of the default route, of which loopback is none. A hub at any other address needs neither.
 */
const FIREFOX_PREFERENCES = { "media.peerconnection.ice.loopback": true, "permissions.default.camera": 1 };

export function chromiumPage({ nomangle }) {
  return chromium.launch({ ...BROWSER, args: nomangle ? [...BROWSER.args, NO_MANGLE] : BROWSER.args });
}

/** By puppeteer over WebDriver BiDi: playwright drives no Firefox but its own. */
export async function firefoxPage(preferences = FIREFOX_PREFERENCES) {
  const { default: puppeteer } = await import("puppeteer-core");
  return puppeteer.launch({
    browser: "firefox",
    executablePath: FIREFOX,
    headless: true,
    extraPrefsFirefox: preferences,
  });
}
