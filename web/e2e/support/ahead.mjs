// A browser that loads the hub's page ahead of a click. Whoever watches a page by its developer tools keeps the browser
// from that, so nobody does: what happens is seen in what is asked of the hub.

import http from "node:http";
import { BROWSER } from "./browser.mjs";
import { Process } from "./child.mjs";
import { until } from "./wait.mjs";

const RULES = { prerender: [{ source: "list", urls: ["/"], eagerness: "immediate" }] };

/** A page of the hub's origin with a link to Tincan, which is followed as soon as the test wants it. */
const LINK = `<!doctype html><title>a link</title>
<script type="speculationrules">${JSON.stringify(RULES)}</script>
<script>fetch("/until-clicked").then(() => location.assign("/"));</script>`;

/** The hub's website, and on the same origin a page with a link to it. */
export class LinkedSite {
  /** What was asked for, and whether ahead. */
  asked = [];

  static async to(hub) {
    const site = new LinkedSite();
    const clicked = new Promise((resolve) => (site.click = resolve));
    site.server = http.createServer((request, response) => {
      const { pathname } = new URL(request.url, "http://site");
      if (pathname === "/link") return response.setHeader("content-type", "text/html").end(LINK);
      if (pathname === "/until-clicked") return void clicked.then(() => response.end());
      site.asked.push({ pathname, ahead: (request.headers["sec-purpose"] ?? "").includes("prerender") });
      const { method, headers } = request;
      const asked = http.request({ port: hub.ports.http, host: "127.0.0.1", path: request.url, method, headers }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      asked.on("error", () => response.destroy());
      asked.end();
    });
    await new Promise((resolve) => site.server.listen(0, "127.0.0.1", resolve));
    site.url = `http://127.0.0.1:${site.server.address().port}`;
    return site;
  }

  /** How often the page itself was loaded. */
  loads(ahead) {
    return this.asked.filter((one) => one.pathname === "/" && one.ahead === ahead).length;
  }

  end() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}

/** A browser at a page, with nobody who watches. */
export class Unwatched extends Process {
  constructor(profile, url) {
    super("browser", BROWSER.executablePath, ["--headless", ...BROWSER.args, `--user-data-dir=${profile}`, url]);
  }
}

/** Who has connected to the hub by WebSocket, in order. */
export const visitors = (hub) =>
  hub.process.err.flatMap((line) => (/ connected peer=(\w+) transport="ws"/.exec(line) ?? []).slice(1));

export const visitor = (hub, number) =>
  until(() => `visitor ${number} comes; there were ${visitors(hub)}`, () => visitors(hub)[number]);
