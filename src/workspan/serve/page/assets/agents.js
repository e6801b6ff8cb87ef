// Runs of agents, turn by turn, and what each route has spent. Names are clients': text nodes only.

import { element, money, number, shape } from "./drawing.js";

const MOST = 12, SHOWN = 3;
const WIDTH = 1000, HEIGHT = 60, FOOT = 18, COLUMN = 24;
const runs = new Map(); // id → what was told of it last
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

export function beginRuns() {
  runs.clear();
}

export function drawRoutes(rows) {
  document.getElementById("routes-part").hidden = !rows.length;
  const head = element("tr");
  for (const title of ["Route", "Engine"]) head.append(element("th", { scope: "col" }, title));
  for (const title of ["Requests", "Refused", "Failed", "Calls", "Work", "Prompt", "Cached", "Cost"]) {
    head.append(element("th", { scope: "col", className: "number" }, title));
  }
  const body = element("tbody");
  for (const one of rows) {
    const row = element("tr", {}, element("th", { scope: "row" }, one.route), element("td", {}, one.engine || "none"));
    const cost = one.unpriced === one.requests ? "unknown" : money(one.cost);
    const figures = [one.requests, one.refused, one.failed, one.calls, one.work, one.prefill, one.cached];
    for (const text of [...figures.map(number), cost]) row.append(element("td", { className: "number" }, text));
    body.append(row);
  }
  document.getElementById("routes").replaceChildren(element("table", {}, element("thead", {}, head), body));
}

const kind = (status) => (status === 200 ? "done" : status >= 500 ? "failed" : "refused");
const many = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;

// Each turn a column: its height is the calls that it took, its colour what became of it.
function strip(run) {
  const most = Math.max(3, ...run.past.map(([, , calls]) => calls));
  const wide = Math.min(COLUMN, WIDTH / Math.max(run.past.length, 1));
  const widest = run.past.reduce((best, one) => (one[2] > best[2] ? one : best), [0, "", 0]);
  const drawn = shape("svg", {
    class: "strip",
    viewBox: `0 0 ${WIDTH} ${HEIGHT + FOOT}`,
    role: "img",
    "aria-label": `${many(run.past.length, "turn")}, the widest is turn ${widest[0]} with ${many(widest[2], "call")}`,
  });
  run.past.forEach(([turn, request, calls, work, status], place) => {
    const height = Math.max((calls / most) * HEIGHT, 3);
    const box = shape("rect", {
      class: `turn ${kind(status)}${calls > 1 ? " wide" : ""}`,
      x: place * wide,
      y: HEIGHT - height,
      width: Math.max(wide - 3, 1),
      height,
      rx: 2,
    });
    box.append(shape("title", {}, `Turn ${turn}: ${many(calls, "call")}, ${number(work)} tokens, ${status} (${request})`));
    drawn.append(box);
    if (wide >= COLUMN && (turn === 1 || turn % 5 === 0)) {
      drawn.append(shape("text", { x: place * wide + (wide - 3) / 2, y: HEIGHT + 13, "text-anchor": "middle" }, String(turn)));
    }
  });
  return drawn;
}

function account(limit) {
  const amount = (value) => (limit.limit.startsWith("$") ? money(value) : number(value));
  const meter = element("meter", { min: 0, max: Math.max(limit.most, 1e-12), value: Math.max(0, limit.most - limit.left) });
  meter.ariaLabel = `Share of ${limit.limit} spent`;
  return element("p", { className: "account" }, element("span", {}, limit.limit), meter, element("span", { className: "number" }, `${amount(limit.left)} left`));
}

function card(run) {
  const title = element("h3", {}, run.name || run.id);
  title.id = `run-${run.id}`;
  const turns = run.stated ? `${number(run.turns)} of ${many(run.stated, "turn")}` : many(run.turns, "turn");
  const last = run.past.at(-1);
  const ended = last && last[4] !== 200 ? ["refused", `last turn ${last[4]}`] : ["done", turns];
  const [look, words] = run.open ? ["running", `turn ${run.turns} runs`] : ended;
  const facts = [
    run.key ? `key ${run.key}` : "",
    turns,
    many(run.calls, "call"),
    `work ${number(run.work)}`,
    run.cost === null ? "" : `cost ${money(run.cost)}`,
  ];
  const made = element(
    "article",
    {},
    element(
      "div",
      { className: "head" },
      element("span", { className: "when" }, clock.format(new Date(run.since * 1000))),
      title,
      element("span", { className: `badge ${look}` }, words),
    ),
    element("p", { className: "facts" }, facts.filter(Boolean).join(" · ")),
    ...run.limits.map(account),
  );
  made.setAttribute("aria-labelledby", title.id);
  made.dataset.run = run.id;
  if (run.past.length) made.append(strip(run));
  return made;
}

export function drawRuns(told) {
  for (const run of [...told].reverse()) {
    runs.delete(run.id);
    runs.set(run.id, run);
  }
  while (runs.size > MOST) runs.delete(runs.keys().next().value);
  document.getElementById("runs-part").hidden = !runs.size;
  const part = document.getElementById("runs");
  const isOpen = part.querySelector("details")?.open ?? false;
  const cards = [...runs.values()].reverse().map(card);
  part.replaceChildren(...cards.slice(0, SHOWN));
  if (cards.length > SHOWN) {
    const earlier = element("summary", {}, many(cards.length - SHOWN, "earlier run"));
    part.append(element("details", { open: isOpen }, earlier, ...cards.slice(SHOWN)));
  }
}
