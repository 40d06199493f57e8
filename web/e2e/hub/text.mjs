// What the bench of a hub found, as a section of a document.

import { table } from "../support/report.mjs";

const KIND = { tincan: "Tincan peers", stock: "stock gossipsub peers" };

/** A figure with as many digits as it is worth, or what stands for one that there is not. */
const figure = (value, none = "never") => {
  if (value === null || value === undefined) return none;
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(2 + (value >= 10));
};
const whole = (value) => Math.round(value).toLocaleString("en");
const ARRIVAL = { evenly: ({ dialled_s }) => `evenly over ${figure(dialled_s)} s`, "at-once": () => "all at once" };
const percent = (value) => `${Math.round(value)} %`;
const share = (part, all) => `${(Math.floor((10_000 * part) / all) / 100).toFixed(2)} %`;

function joins(rows) {
  const cells = rows.map((row) => [
    `${whole(row.peers)} ${KIND[row.kind]}, ${ARRIVAL[row.arrival](row)}`,
    row.all_know_s === null ? `${whole(row.knowing)} of ${whole(row.peers)} knew` : figure(row.all_know_s),
    figure(row.hub_ms_per_join),
    figure(row.hub_ms_per_join_until_quiet),
    figure(row.quiet_s),
    percent(row.hub_percent),
    percent(row.load_percent),
    percent(row.idle_percent),
    `${whole(row.hub_mib)} (${whole(row.hub_peak_mib)})`,
  ]);
  const head = ["", "all know, s", "hub a join, ms", "until quiet, ms", "quiet, s", "hub", "peers", "hub idle", "hub, MiB"];
  return table(head, cells);
}

const beside = (row) =>
  ({
    nobody: "",
    watcher: `, one repeats \`Watch\` (and is told ${figure(row.told_kib_per_s)} KiB/s)`,
    deaf: `, ${row.beside_count} read nothing`,
  })[row.beside];

function lines(rows) {
  const cells = rows.map((row, i) => {
    const quiet = row.beside !== "nobody" && rows[i - 1];
    return [
      `${whole(row.peers)} ${KIND[row.kind]}${beside(row)}`,
      `${row.lines}, ${row.every_ms} ms`,
      share(row.delivered, row.expected),
      `${row.doubled}, ${row.misordered}`,
      figure(row.p50_ms),
      figure(row.p99_ms),
      figure(row.max_ms, "–"),
      quiet && row.p99_ms && quiet.p99_ms ? `${figure(row.p99_ms / quiet.p99_ms)}×` : "",
      percent(row.hub_percent),
      percent(row.load_percent),
    ];
  });
  const head = ["", "lines", "delivered", "twice, misplaced", "p50, ms", "p99, ms", "most, ms", "p99 ÷ row above", "hub", "peers"];
  return table(head, cells);
}

function restart(row) {
  const cells = [
    ["all back and knowing the total", row.all_back_s === null ? `${whole(row.back)} of ${whole(row.peers)}` : `${figure(row.all_back_s)} s`],
    ["everybody has every line", row.all_lines_s === null ? `${whole(row.missing)} deliveries missing` : `${figure(row.all_lines_s)} s`],
    ["lines shown twice, misplaced", `${row.doubled}, ${row.misordered}`],
    ["a line was handed over in syncs, at most (mean)", `${row.line_uploads_most} (${figure(row.line_uploads_mean)}) times`],
    ["a presence, at most (mean)", `${row.presence_uploads_most} (${figure(row.presence_uploads_mean)}) times`],
    ["handed over in all", `${figure(row.uploaded_mib)} MiB`],
    ["the hub took until it was quiet", `${figure(row.hub_s)} s`],
    ["the peers took", `${figure(row.load_s)} s`],
  ];
  return `A hub with ${whole(row.peers)} peers is killed and started again at once, and listens after ${figure(row.away_s)} s. ${row.lines_before} lines
were said before (it keeps the last 200 in memory), ${row.lines_meanwhile} while it was away and peers came back. Since the kill:

${table(["", ""], cells)}`;
}

/** The whole section. */
export function sections(rows, { command, took, before, commit, machine }) {
  const of = (kind) => rows.filter(({ row }) => row === kind);
  const parts = [];
  if (of("join").length > 0) {
    parts.push(`### Joining

Peers dial and are in the room, at equal distances or all at once. *All know* is from the first dial until everybody
was let in and knows how many are there. *Hub a join* is the processor time that the hub took until then for each peer, and
*until quiet* what it took until hub and peers had done all that follows from it, *quiet* seconds after the first dial. *Hub* and
*peers* are what each took of one core until all knew, *hub idle* what the hub takes when nothing happens.
*MiB* is the hub's resident memory in the end (the most). Stock gossipsub peers are told no total: for them *all know* is until each
sees the hub in the room and a Tincan peer knows of all of them.

${joins(of("join"))}`);
  }
  if (of("lines").length > 0) {
    parts.push(`### Lines

Lines of 100 bytes, so far apart, each by another peer; from saying one until the node of another peer shows it, over all
pairs of a line and another peer. What is not delivered within the bench's patience counts as taking for ever.

${lines(of("lines"))}`);
  }
  parts.push(...of("restart").map((row) => `### A hub that is restarted\n\n${restart(row)}`));
  return `## A crowd at a hub${before ? ", before" : ""}

The hub is \`tincan\` in a process of its own; all peers are in one other process, each with its own key, node and
connection over loopback. Both share the machine's cores: where hub and peers together take all of them, times are the machine's.

${parts.join("\n\n")}

Measured with \`${command}\`${commit ? ` at ${commit}` : ""} in ${took}, everything on one machine (${machine}).
`;
}
