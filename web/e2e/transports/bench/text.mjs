// What the bench of transports found, as a section of a document.

import { table } from "../../support/report.mjs";
import { LOSS, RTT_MS } from "../proxy.mjs";
import { cpuPerGiB } from "./native.mjs";
import { DIRECTIONS, PINGS, TRANSPORTS } from "./pages.mjs";
import { NATIVE_PATHS, PATH_NAMES, runsOf } from "./paths.mjs";
import { figure, ratio } from "./series.mjs";

const OVER = { ws: "WebSocket", webrtc: "WebRTC-direct" };
/** Who a page or a program is. */
const NAMES = {
  ours: "Tincan",
  published: "rust-libp2p as published",
  js: "js-libp2p",
  stock: "libp2p-webrtc as published",
  go: "go-libp2p",
};
/** What a ratio is of, and to: the same hub, dialled by ours and by another page. */
const RATIOS = ["published", "js"];
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

const told = (series, of) => series?.cell(of) ?? "";
const pageName = ({ page, hub }) => `${NAMES[page]} page → ${NAMES[hub]} hub`;

/** One table of pages: its rows, then ratios of those whose hub is the same. */
function pageTable(rows, bytes) {
  const { path, transport } = rows[0];
  const shown = columns(bytes);
  const lines = rows.map((row) => {
    const all = Object.values(row.series);
    const faulty = all.reduce((sum, { faulty }) => sum + faulty, 0);
    return [pageName(row), ...shown.map(([, what, of]) => told(row.series[what], of)), failedOf(all), faulty];
  });
  const ours = (page) => rows.find((row) => row.page === page && row.hub === "ours")?.series;
  for (const other of RATIOS.filter((page) => ours(page) && ours("ours"))) {
    const cells = shown.map(([, what, of]) => ratio(ours("ours")[what]?.median(of), ours(other)[what]?.median(of)));
    lines.push([`${NAMES.ours} page ÷ ${NAMES[other]} page`, ...cells, "", ""]);
  }
  return table([`${PATH_NAMES[path]}, ${OVER[transport]}`, ...shown.map(([name]) => name), "failed", "complained"], lines);
}

/** Why runs failed, one line for each reason. */
function failures(all) {
  const lines = all.flatMap(([where, { errors, runs }]) =>
    [...errors].map(([error, times]) => `- ${where}: ${times} of ${runs}: \`${error.replaceAll("`", "'")}\``),
  );
  return lines.length ? `What failed:\n\n${lines.join("\n")}` : "Nothing failed.";
}

const each = (rows) =>
  rows.flatMap((row) =>
    Object.entries(row.series).map(([what, series]) => [
      `${PATH_NAMES[row.path]}, ${OVER[row.transport]}, ${pageName(row)}, ${what}`,
      series,
    ]),
  );

const said = ({ joins, bulks, bytes }) => `${joins} joins and ${bulks} of ${figure(bytes / MIB)} MiB each way`;

/** How often each kind of path was measured. */
const howOften = ({ loopback, far, lossy }) =>
  `${said(loopback)} on loopback, ${said(far)} over paths that are long, ${said(lossy)} over the one that loses`;

const ABOUT_PATHS = `A long path adds so many milliseconds to a round trip. One loses ${LOSS * 100} % each way besides, drawn from a
fixed seed. Over UDP a lost datagram is gone. Over TCP what was in a lost segment comes ${RTT_MS} ms later and what follows waits
for it; TCP's congestion window and its time-outs are not imitated, so WebSocket's rates over long paths are flattered and
must not be set beside WebRTC's.`;

export function aboutPages(rows, { fallen, browser }, { runs, versions, machine }) {
  const groups = Object.keys(PATH_NAMES).flatMap((path) =>
    TRANSPORTS.map((transport) => rows.filter((row) => row.path === path && row.transport === transport)),
  );
  return `### Pages

One page dials one hub, both named in each row, each run in a fresh page of a fresh profile of one headless
Chromium ${browser}; the order of the rows changes from run to run. *Dial* is until the connection is authenticated,
*subscribed* until the hub's subscription is seen, *first message* until its answer to a line of gossip came:
milliseconds since the dial began. *Ping* is the median of ${PINGS} round trips of a run. *Up* (from the page) and *down* is one
stream on a connection that stands. Shown is the median (least–most) of the runs:
${howOften(runs)}.
*Complained* counts runs that ended well and left an error or a warning on the console. Of ratios, times are better
below 1, rates above.

${ABOUT_PATHS}

${groups.filter((group) => group.length > 0).map((group) => pageTable(group, runsOf(group[0].path, runs).bytes)).join("\n\n")}

${failures(each(rows))}${fallen ? `\n\nA hub ended by itself ${fallen} times and was started again.` : ""}

js-libp2p ${versions.js}; ${machine}.`;
}

/** A figure of a series, or that there is none. */
const one = (series, value) => (value !== undefined ? figure(value) : series?.runs ? "failed" : "");

const nativeName = ({ dialer, listener }) => `${NAMES[dialer]} → ${NAMES[listener]}`;

function nativeTable(rows, bytes) {
  const { path } = rows[0];
  const loopback = path === "loopback";
  const both = (what) => DIRECTIONS.map((direction) => `${direction}, ${what}`);
  const kinds = ["join", ...DIRECTIONS];
  const lines = rows.map((row) => [
    `${OVER[row.transport]}: ${nativeName(row)}`,
    told(row.join, JOIN.dial),
    told(row.join, JOIN.ping),
    ...DIRECTIONS.map((direction) => told(row[direction], rate(bytes))),
    ...(loopback ? DIRECTIONS.map((direction) => one(row[direction], cpuPerGiB(row, direction, bytes))) : []),
    ...(loopback ? [one(row.idle, row.idle?.median(({ perConnection }) => perConnection / 1024))] : []),
    failedOf(kinds.flatMap((kind) => row[kind] ?? [])),
  ]);
  const head = [`${PATH_NAMES[path]}: dialer → listener`, "dial", "ping", ...both("MiB/s")];
  return table([...head, ...(loopback ? [...both("CPU s/GiB"), "idle, KiB"] : []), "failed"], lines);
}

export function aboutNative(rows, { runs, idle, versions, machine }) {
  const kinds = ["join", ...DIRECTIONS, "idle"];
  const all = rows.flatMap((row) =>
    kinds.filter((kind) => row[kind]).map((kind) => [
      `${PATH_NAMES[row.path]}, ${OVER[row.transport]}, ${nativeName(row)}, ${kind}`,
      row[kind],
    ]),
  );
  const tables = NATIVE_PATHS.map((path) =>
    TRANSPORTS.flatMap((transport) => rows.filter((row) => row.path === path && row.transport === transport)),
  ).filter((group) => group.length > 0);
  return `### Native

Each run is a process of its own that dials a hub, both named in each row, with ${PINGS} pings a join:
${howOften(runs)}; median (least–most), and
the figures mean what they mean above, *up* being from the dialer. *CPU* is what both ends took of user and system,
SHA-256 included, less what runs of one byte took. *Idle* is by how much the hub's
resident memory grew for each of ${idle} connections that were identified, subscribed and then left alone.
${NAMES.ours} and ${NAMES.stock} share one WebSocket.

${tables.map((group) => nativeTable(group, runsOf(group[0].path, runs).bytes)).join("\n\n")}

${failures(all)}

go-libp2p ${versions.go}; ${machine}.`;
}
