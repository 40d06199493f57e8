// What the bench of transports found, as a section of a document.

import { table } from "../../support/report.mjs";
import { LOSS, RTT_MS } from "../proxy.mjs";
import { cpuPerGiB } from "./native.mjs";
import { DIRECTIONS, PATHS, PINGS, TRANSPORTS } from "./pages.mjs";
import { figure, ratio } from "./series.mjs";

const OVER = { ws: "WebSocket", webrtc: "WebRTC-direct" };
const PATH = { loopback: "Loopback", slow: "Slow path" };
const KINDS = {
  ours: "Tincan's transports",
  published: "rust-libp2p's as published",
  js: "js-libp2p",
  stock: "libp2p-webrtc as published",
  go: "go-libp2p",
};
/** What a ratio is of, and to. */
const RATIOS = [
  ["ours", "published"],
  ["ours", "js"],
];
const MIB = 2 ** 20;

const rate = (bytes) => ({ ms }) => bytes / MIB / (ms / 1000);
const JOIN = {
  dial: ({ dial }) => dial,
  subscribed: ({ subscribed }) => subscribed,
  "first message": ({ message }) => message,
  ping: ({ ping }) => ping,
};

/** The columns of figures: what a column is called, and of which series and what of it. */
const columns = (bytes) => [
  ...Object.entries(JOIN).map(([name, of]) => [name, "join", of]),
  ...DIRECTIONS.map((direction) => [`${direction}, MiB/s`, direction, rate(bytes)]),
];

const failedOf = (all) => {
  const [failed, runs] = ["failed", "runs"].map((name) => all.reduce((sum, series) => sum + series[name], 0));
  return `${failed} of ${runs}`;
};

/** One table of pages: a row for each kind, then the ratios. */
function pageTable(seen, path, transport, bytes) {
  const kinds = seen[path][transport];
  const shown = columns(bytes);
  const rows = Object.entries(kinds).map(([kind, all]) => {
    const told = Object.values(all);
    const faulty = told.reduce((sum, series) => sum + series.faulty, 0);
    return [KINDS[kind], ...shown.map(([, what, of]) => all[what].cell(of)), failedOf(told), faulty];
  });
  for (const [one, other] of RATIOS.filter((names) => names.every((name) => kinds[name]))) {
    const cells = shown.map(([, what, of]) => ratio(kinds[one][what].median(of), kinds[other][what].median(of)));
    rows.push([`${KINDS[one]} ÷ ${KINDS[other]}`, ...cells, "", ""]);
  }
  return table([`${PATH[path]}, ${OVER[transport]}`, ...shown.map(([name]) => name), "failed", "complained"], rows);
}

/** Why runs failed, one line for each reason. */
function failures(all) {
  const lines = all.flatMap(([where, { errors, runs }]) =>
    [...errors].map(([error, times]) => `- ${where}: ${times} of ${runs}: \`${error.replaceAll("`", "'")}\``),
  );
  return lines.length ? `What failed:\n\n${lines.join("\n")}` : "Nothing failed.";
}

const each = (seen) =>
  PATHS.flatMap((path) =>
    TRANSPORTS.flatMap((transport) =>
      Object.entries(seen[path][transport]).flatMap(([kind, all]) =>
        Object.entries(all).map(([what, series]) => [`${PATH[path]}, ${OVER[transport]}, ${KINDS[kind]}, ${what}`, series]),
      ),
    ),
  );

export function aboutPages({ series, fallen, browser }, { runs, hub, versions, machine }) {
  const { loopback, slow } = runs;
  const said = (count, bytes) => `${count} of ${bytes / MIB} MiB`;
  return `### Pages

One page dials one hub (${KINDS[hub]}), each run in a fresh page of a fresh profile of one headless
Chromium ${browser}; the order of the kinds changes from run to run. *Dial* is until the connection is authenticated,
*subscribed* until the hub's subscription is seen, *first message* until its answer to a line of gossip came:
milliseconds since the dial began. *Ping* is the median of ${PINGS} round trips of a run. *Up* and *down* is one stream on a
connection that stands. Shown is the median (least–most) of the runs: ${loopback.joins} joins and
${said(loopback.bulks, loopback.bytes)} each way on loopback, ${slow.joins} and ${said(slow.bulks, slow.bytes)} over the slow path.
*Complained* counts runs that ended well and left an error or a warning on the console. Of ratios, times are better
below 1, rates above.

The slow path adds ${RTT_MS} ms to a round trip and loses ${LOSS * 100} % each way, drawn from a fixed seed. Over UDP a lost datagram
is gone. Over TCP what was in a lost segment comes ${RTT_MS} ms later and what follows waits for it; TCP's congestion window
and its time-outs are not imitated, so WebSocket's rates there are flattered and must not be set beside WebRTC's.

${PATHS.flatMap((path) => TRANSPORTS.map((transport) => pageTable(series, path, transport, runs[path].bytes))).join("\n\n")}

${failures(each(series))}${fallen ? `\n\nThe hub ended by itself ${fallen} times and was started again.` : ""}

js-libp2p ${versions.js}; ${machine}.`;
}

/** A figure of a series, or that there is none. */
const one = (series, value) => (value !== undefined ? figure(value) : series.runs ? "failed" : "");

export function aboutNative(all, { joins, bulks, bytes, idle, versions, machine }) {
  const name = ({ dialer, listener, transport }) =>
    `${OVER[transport]}: ${KINDS[dialer]}${dialer === listener ? "" : ` → ${KINDS[listener]}`}`;
  const kinds = ["join", ...DIRECTIONS];
  const rows = TRANSPORTS.flatMap((transport) => all.filter((pair) => pair.transport === transport)).map((pair) => [
    name(pair),
    pair.join.cell(JOIN.dial),
    pair.join.cell(JOIN.ping),
    ...DIRECTIONS.map((direction) => pair[direction].cell(rate(bytes))),
    ...DIRECTIONS.map((direction) => one(pair[direction], cpuPerGiB(pair, direction, bytes))),
    one(pair.idle, pair.idle.median(({ perConnection }) => perConnection / 1024)),
    failedOf(kinds.map((kind) => pair[kind])),
  ]);
  const told = all.flatMap((pair) => [...kinds, "idle"].map((kind) => [`${name(pair)}, ${kind}`, pair[kind]]));
  const both = (what) => DIRECTIONS.map((direction) => `${direction}, ${what}`);
  const head = ["dialer → listener", "dial", "ping", ...both("MiB/s"), ...both("CPU s/GiB"), "idle, KiB", "failed"];
  return `### Native

Each run is a process of its own that dials a hub of the same kind, and go-libp2p ours too: ${joins} joins with ${PINGS} pings,
${bulks} of ${bytes / MIB} MiB each way, on loopback; median (least–most), and the figures mean what they mean above. *CPU* is what both
ends took of user and system, SHA-256 included, less what runs of one byte took. *Idle* is by how much the hub's
resident memory grew for each of ${idle} connections that were identified, subscribed and then left alone.
${KINDS.ours} and ${KINDS.stock} share one WebSocket.

${table(head, rows)}

${failures(told)}

go-libp2p ${versions.go}; ${machine}.`;
}
