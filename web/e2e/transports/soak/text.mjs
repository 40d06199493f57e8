// What a soak of transports came to, as a document.

import { table } from "../../support/report.mjs";

const HEAD = ["what", "ended well", "figures", "hold", "got", "holds"];
const TITLES = {
  joins: "Joins",
  cycles: "Connecting and hanging up",
  streams: "Streams",
  kills: "A hub that is killed",
  flood: "A flood",
};

/** Text that may hold anything, inside a table or a list. */
const plain = (text) => String(text).replaceAll(/\s+/g, " ").replaceAll("|", "\\|");

const line = ({ what, ok, count, figures, hold, got, holds }) =>
  [what, count ? `${ok} of ${count}` : "", figures, hold, got, holds ? "yes" : "**no**"].map(plain);

function failures(rows) {
  const lines = rows.flatMap(({ what, failures }) =>
    failures.map((why) => `- ${plain(what)}: \`${plain(why).replaceAll("`", "'")}\``),
  );
  return lines.length ? `What failed:\n\n${lines.join("\n")}` : "Nothing failed.";
}

const section = ([name, rows]) => `## ${TITLES[name]}\n\n${table(HEAD, rows.map(line))}\n\n${failures(rows)}`;

/** `found` are the rows of each part, `facts` what was run on what. */
export function text(found, { command, versions, machine, took }) {
  const rows = Object.values(found).flat();
  const broken = rows.filter(({ holds }) => !holds).length;
  const told = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `# Soak of transports

Made by \`${command}\` in ${took}, everything on one machine (${machine}): ${told.join(", ")}.
A join is a fresh node that dials, identifies, is answered in a room, pings, gets a record and has 4 KiB echoed in both
directions, all within 10 s. Times are those of the dialler, from the beginning of the dial. A run that failed is counted
and named; none is repeated.

Of ${rows.length} rows ${broken ? `${broken} do not hold` : "all hold"}.

${Object.entries(found).map(section).join("\n\n")}

## How it was run

- Firefox gathers no loopback candidate and pairs no other one with a loopback address: it dials webrtc-direct at another
  address of the machine, from which datagrams are passed on to the hub.
- Memory of a page is read after its garbage was collected: *heap* is JavaScript's, *wasm* the module's. The hub does not
  tell how many sessions it has; over UDP its open files do not either.
- Each stranger of a flood has an address and port of 127.1.0.0/16 of its own. The flood goes on as long as the joins under
  it, and reaches the hub directly; who joins has a path on which every datagram takes half of the round trip.
`;
}
