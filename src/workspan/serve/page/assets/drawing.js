// One request drawn as elements. What a client or a model wrote becomes text nodes, never markup.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000, BAR = 16, GAP = 4, FOOT = 20;
const TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000];
const whole = new Intl.NumberFormat("en");

export const number = (value) => whole.format(Math.round(value));
export const money = (value) => (value === null ? "unknown" : `$${Number(value.toPrecision(3))}`);
export const seconds = (value) => (value < 10 ? `${value.toFixed(2)} s` : `${value.toFixed(0)} s`);

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

export function shape(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.append(text);
  return made;
}

// Bars that do not overlap share a lane: a fork opens lanes, what follows a join takes the first.
export function lanes(bars) {
  const ends = [];
  return [...bars]
    .sort((a, b) => a.start - b.start || a.began - b.began)
    .map((bar) => {
      const end = bar.start + Math.max(bar.tokens, 1);
      let lane = ends.findIndex((free) => free <= bar.start);
      if (lane < 0) lane = ends.push(0) - 1;
      ends[lane] = end;
      return { bar, lane };
    });
}

const look = (bar) => (bar.chosen ? "chosen" : bar.outcome);
const named = { sample: "drawn", cut: "cut", failed: "failed", lost: "lost, asked again", running: "running" };

export function spoken(bars) {
  const counts = new Map();
  for (const bar of bars) {
    const word = bar.chosen ? "chosen" : named[bar.outcome] ?? bar.outcome;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${count} ${word}`).join(", ");
}

export function timeline(request) {
  const placed = lanes(request.bars);
  const height = Math.max(...placed.map(({ lane }) => lane + 1)) * (BAR + GAP);
  const most = Math.max(request.span, ...request.bars.map((bar) => bar.start + bar.tokens), 1);
  const drawn = shape("svg", {
    class: "timeline",
    viewBox: `0 0 ${WIDTH} ${height + FOOT}`,
    role: "img",
    "aria-label": `${request.bars.length} calls over a span of ${number(request.span)} tokens: ${spoken(request.bars)}`,
  });
  const at = (tokens) => (tokens / most) * (WIDTH - 2);
  for (const { bar, lane } of placed) {
    const x = at(bar.start), width = Math.max(at(bar.tokens), 3), y = lane * (BAR + GAP);
    const box = shape("rect", { class: `bar ${look(bar)}`, x, y, width, height: BAR, rx: 2 });
    const vote = bar.vote === null ? "" : `, for answer ${bar.vote + 1}`;
    box.append(shape("title", {}, `${bar.engine} ${bar.key}: ${named[bar.outcome] ?? bar.outcome}, ${number(bar.tokens)} tokens${vote}`));
    drawn.append(box);
    if (width > 24 && (bar.chosen || bar.vote !== null)) {
      drawn.append(shape("text", { class: "mark", x: x + 5, y: y + BAR - 4 }, `${bar.chosen ? "★ " : ""}${bar.vote === null ? "" : bar.vote + 1}`));
    }
  }
  const step = TICKS.find((tick) => most / tick <= 8) ?? most;
  drawn.append(shape("line", { class: "axis", x1: 0, x2: WIDTH, y1: height + 2, y2: height + 2 }));
  for (let tick = 0; tick <= most; tick += step) {
    const anchor = tick === 0 ? "start" : at(tick) > WIDTH - 40 ? "end" : "middle";
    drawn.append(shape("text", { x: at(tick), y: height + 16, "text-anchor": anchor }, number(tick)));
  }
  return drawn;
}

export function votes(request) {
  const most = request.votes.reduce((sum, vote) => sum + vote.weight, 0) || 1;
  const list = element("ul", { className: "votes", ariaLabel: "Votes" });
  request.votes.forEach((vote, place) => {
    const name = `${vote.chosen ? "★ " : ""}${place + 1}${vote.answer ? `: ${vote.answer}` : ""}`;
    const share = element("meter", { min: 0, max: most, value: vote.weight });
    share.ariaLabel = `Share of answer ${place + 1}`;
    const row = element(
      "li",
      { className: vote.chosen ? "chosen" : "" },
      element("span", { className: "answer", title: name }, `Answer ${name}`),
      share,
      element("span", { className: "number" }, String(Number(vote.weight.toPrecision(4)))),
    );
    list.append(row);
  });
  return list;
}

export function calls(request) {
  const head = element("tr");
  for (const title of ["Call", "Engine", "From", "Tokens", "Seconds", "Outcome", "Vote"]) {
    head.append(element("th", { scope: "col" }, title));
  }
  const body = element("tbody");
  for (const bar of request.bars) {
    const row = element("tr");
    const time = bar.ended > 0 ? seconds(bar.ended - bar.began) : "";
    const outcome = `${named[bar.outcome] ?? bar.outcome}${bar.chosen ? ", chosen" : ""}`;
    const vote = bar.vote === null ? "" : String(bar.vote + 1);
    for (const text of [bar.key, bar.engine, number(bar.start), number(bar.tokens), time, outcome, vote]) {
      row.append(element("td", {}, text));
    }
    body.append(row);
  }
  const table = element("table", {}, element("thead", {}, head), body);
  return element("div", { className: "scroll" }, table);
}
