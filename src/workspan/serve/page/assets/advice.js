// What each route should be set to: a table, and accuracy against cost with intervals, by route.

import { element, money, number, shape } from "./drawing.js";

const AGAIN = 60_000;
const WIDTH = 640, HEIGHT = 190, LEFT = 56, RIGHT = 16, TOP = 14, FOOT = 34;
const part = document.getElementById("advice-part");
const look = { change: "done", keep: "running", undecided: "refused" };
const percent = (value) => `${value > 0 ? "+" : ""}${(100 * value).toFixed(1)}`;
const paid = (value, row) => (row.cost_unit === "USD" ? money(value) : `${number(value)} work`);
const range = (one) => `${percent(one.low)} to ${percent(one.high)}`;
const measured = (one) => (one.difference === null ? "" : percent(one.difference));

function cells(row) {
  const [first] = row.strategies;
  return [
    [row.model], [row.kind], [row.now], [row.recommend], [number(row.requests), "number"],
    [measured(first), "number"], [range(first), "number"], [row.truth],
    [paid(row.cost_now, row), "number"], [paid(row.cost_then, row), "number"],
  ];
}

function line(row) {
  const badge = element("span", { className: `badge ${look[row.verdict]}` }, row.verdict);
  const made = element("tr", {}, element("th", { scope: "row" }, row.route), element("td", {}, badge));
  for (const [text, className] of cells(row)) made.append(element("td", { className: className ?? "" }, text));
  return made;
}

// Points at (cost, difference in accuracy from the present setting), each with its interval.
function chart(row) {
  const points = [{ strategy: row.now, cost: row.cost_now, at: 0, low: 0, high: 0, isNow: true }].concat(
    row.strategies.map((one) => ({ ...one, at: one.difference ?? (one.low + one.high) / 2 })),
  );
  const most = Math.max(...points.map((one) => one.cost), 1e-12) * 1.15;
  const reach = Math.max(...points.map((one) => Math.max(Math.abs(one.low), Math.abs(one.high))), 0.02) * 1.1;
  const x = (cost) => LEFT + (cost / most) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + ((reach - value) / (2 * reach)) * (HEIGHT - TOP - FOOT);
  const said = points.slice(1).map((one) => `${one.strategy}: ${measured(one) || "not ranked"}, ${range(one)}, at ${paid(one.cost, row)}`);
  const drawn = shape("svg", { class: "advice", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Accuracy against cost. ${said.join("; ")}` });
  drawn.append(shape("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: y(0), y2: y(0) }));
  for (const value of [reach / 1.1, 0, -reach / 1.1]) {
    drawn.append(shape("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, percent(value)));
  }
  for (const value of [0, most / 2, most]) {
    const anchor = value === most ? "end" : value ? "middle" : "start";
    drawn.append(shape("text", { x: x(value), y: HEIGHT - 6, "text-anchor": anchor }, paid(value, row)));
  }
  for (const [order, one] of points.entries()) {
    const kind = one.isNow ? "sample" : one.strategy === row.recommend ? "chosen" : "cut";
    const mark = shape("g", { class: kind });
    mark.append(shape("title", {}, one.isNow ? `${one.strategy}, now` : `${one.strategy}: ${range(one)}`));
    if (!one.isNow) mark.append(shape("line", { x1: x(one.cost), x2: x(one.cost), y1: y(one.high), y2: y(one.low) }));
    mark.append(shape("circle", { cx: x(one.cost), cy: y(one.at), r: 5 }));
    const isRight = x(one.cost) > WIDTH * 0.7;
    const place = { class: "name", x: x(one.cost) + (isRight ? -9 : 9), y: y(one.at) + (order % 2 ? 18 : -8), "text-anchor": isRight ? "end" : "start" };
    mark.append(shape("text", place, one.isNow ? `${one.strategy} (now)` : one.strategy));
    drawn.append(mark);
  }
  return drawn;
}

function draw(told) {
  part.hidden = !told.is_on;
  const note = document.getElementById("advice-note");
  note.textContent = told.error || (told.advice.length ? "" : "No request was run beside yet.");
  note.hidden = !note.textContent;
  document.getElementById("advice-table").hidden = !told.advice.length;
  document.getElementById("advice").replaceChildren(...told.advice.map(line));
  document.getElementById("advice-charts").replaceChildren(
    ...told.advice.map((row) =>
      element(
        "figure",
        {},
        element("figcaption", { className: "note" }, `${row.route} · ${row.model} · ${row.kind}: ${row.why}.`),
        chart(row),
      ),
    ),
  );
}

async function ask() {
  try {
    const reply = await fetch("_/advice");
    if (reply.ok) draw(await reply.json());
  } catch {
    // the page itself says that the gateway is gone
  }
}

ask();
setInterval(ask, AGAIN);
