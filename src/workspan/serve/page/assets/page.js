// Requests as they happen: a snapshot, then what changed, drawn anew request by request.

import { beginRuns, drawRoutes, drawRuns } from "./agents.js";
import { calls, element, money, number, seconds, timeline, votes } from "./drawing.js";

const MOST = 60;
const shown = new Map(); // request id → its element and what it was drawn from
const waiting = new Map(); // what came while the page is paused
const state = document.getElementById("state");
const list = document.getElementById("requests");
const pause = document.getElementById("pause");
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
let isPaused = false;
let keys = null;

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function say(text) {
  if (state.textContent !== text) state.textContent = text;
}

function standing(request) {
  if (!request.over) return ["running", "running"];
  if (request.status === 499) return ["refused", "499: the client left"];
  if (request.status >= 500) return ["failed", `${request.status} ${request.code}`];
  if (request.status >= 400) return ["refused", `${request.status} ${request.code}`];
  const stop = request.stop && request.stop !== "done" ? `, ${request.stop}` : "";
  return ["done", `${request.status}${stop}`];
}

function facts(request) {
  const found = [
    request.strategy || (request.straight ? `passed on: ${request.straight}` : "passed on"),
    request.turn ? `turn ${request.turn} of a run` : "",
    request.key ? `key ${request.key_name || request.key}` : "",
    `${number(request.calls)} ${request.calls === 1 ? "call" : "calls"}`,
    `work ${number(request.work)}`,
    `span ${number(request.span)}`,
    request.cached ? `${number(request.cached)} cached` : "",
    request.over && request.cost !== 0 ? `cost ${money(request.cost)}` : "",
    request.overrun ? `overrun ${number(request.overrun)}` : "",
    request.waited >= 0.01 ? `in line ${seconds(request.waited)}` : "",
    request.first ? `first byte ${seconds(request.first)}` : "",
    request.over ? `in all ${seconds(request.seconds)}` : "",
  ];
  return found.filter(Boolean).join(" · ");
}

function content(request) {
  const box = element("div", { className: "content" });
  for (const [title, text] of [["Asked", request.prompt], ["Answered", request.answer]]) {
    if (text) box.append(element("p", { className: "note" }, title), element("pre", {}, text));
  }
  return box;
}

function card(request, isOpen) {
  const [kind, words] = standing(request);
  const title = element("h3", {}, request.model || request.route);
  title.id = `title-${request.id}`;
  const made = element(
    "article",
    {},
    element(
      "div",
      { className: "head" },
      element("span", { className: "when" }, clock.format(new Date(request.at * 1000))),
      title,
      element("span", { className: `badge ${kind}` }, words),
    ),
    element("p", { className: "facts" }, facts(request)),
  );
  made.setAttribute("aria-labelledby", title.id);
  made.dataset.id = request.id;
  made.dataset.state = kind;
  if (request.bars.length) made.append(timeline(request));
  if (request.hidden) made.append(element("p", { className: "note" }, `${number(request.hidden)} further calls have no bar.`));
  if (request.votes.length) {
    const tied = request.tied ? " The two heaviest weigh the same: the first drawn was taken." : "";
    made.append(element("p", { className: "note rule" }, `${capital(request.rule)}.${tied}`), votes(request));
  }
  if (request.prompt || request.answer) made.append(content(request));
  if (request.bars.length) {
    const more = element("details", { open: isOpen }, element("summary", {}, `Calls of ${request.id}`));
    const fill = () => {
      if (more.open && more.childElementCount === 1) more.append(calls(request));
    };
    fill();
    more.addEventListener("toggle", fill);
    made.append(more);
  }
  return made;
}

function draw(request) {
  const known = shown.get(request.id);
  const isOpen = known?.querySelector("details")?.open ?? false;
  const hadFocus = known?.querySelector("summary") === document.activeElement && known !== undefined;
  const made = card(request, isOpen);
  if (known) known.replaceWith(made);
  else list.prepend(made);
  if (hadFocus) made.querySelector("summary")?.focus();
  shown.delete(request.id);
  shown.set(request.id, made);
  for (const id of shown.keys()) {
    if (shown.size <= MOST) break;
    shown.get(id).remove();
    shown.delete(id);
  }
  document.getElementById("none").hidden = true;
}

function drawKeys(rows) {
  const body = document.getElementById("keys");
  if (!rows.length) return;
  body.replaceChildren(
    ...rows.map((one) => {
      const row = element("tr");
      const name = one.key ? (one.name ? `${one.name} (${one.key})` : one.key) : "without a key";
      row.append(element("th", { scope: "row" }, name));
      const cost = one.unpriced === one.requests ? "unknown" : money(one.cost) + (one.unpriced ? ` and ${number(one.unpriced)} unpriced` : "");
      const figures = [one.requests, one.refused, one.failed, one.calls, one.work, one.span, one.prefill, one.cached];
      for (const text of [...figures.map(number), cost]) {
        row.append(element("td", { className: "number" }, text));
      }
      return row;
    }),
  );
}

function drawLimits(rows) {
  document.getElementById("limits-part").hidden = !rows.length;
  const drawn = rows.flatMap((one) =>
    one.limits.map((limit) => {
      const row = element("tr");
      row.append(element("th", { scope: "row" }, `${one.name} (${one.key})${one.revoked ? ", revoked" : ""}`));
      const share = element("meter", { min: 0, max: Math.max(limit.most, limit.spent, 1e-12), value: limit.spent });
      share.ariaLabel = `Share of ${limit.limit} spent`;
      row.append(element("td", {}, limit.limit), element("td", {}, share));
      for (const amount of [limit.spent, limit.held]) {
        const text = limit.limit.startsWith("$") ? money(amount) : number(amount);
        row.append(element("td", { className: "number" }, text));
      }
      return row;
    }),
  );
  document.getElementById("limits").replaceChildren(...drawn);
}

function take(told) {
  for (const request of told.requests ?? []) {
    if (isPaused) waiting.set(request.id, request);
    else draw(request);
  }
  while (waiting.size > MOST) waiting.delete(waiting.keys().next().value);
  if (told.keys) keys = told.keys;
  if (told.limits) drawLimits(told.limits);
  if (told.routes) drawRoutes(told.routes);
  if (told.trajectories) drawRuns(told.trajectories);
  if (!isPaused && keys) drawKeys(keys);
  const note = document.getElementById("hidden");
  if (told.hidden !== undefined) {
    note.hidden = !told.hidden;
    note.textContent = `${number(told.hidden)} further requests run.`;
  }
}

function begin(told) {
  shown.clear();
  waiting.clear();
  list.replaceChildren();
  beginRuns();
  const about = document.getElementById("about");
  const notes = [];
  if (told.workers > 1) notes.push(`Worker ${told.worker} of ${told.workers} answers here, and shows its own requests; reload for another.`);
  if (told.content) notes.push("Prompts and answers are shown: the gateway was started with --show-content.");
  about.textContent = notes.join(" ");
  about.hidden = !notes.length;
  document.getElementById("map").hidden = !told.map;
  take(told);
  say("Live");
}

pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  say(isPaused ? "Paused" : "Live");
  if (!isPaused) {
    for (const request of waiting.values()) draw(request);
    waiting.clear();
    if (keys) drawKeys(keys);
  }
});

const feed = new EventSource("_/events");
feed.addEventListener("snapshot", (event) => begin(JSON.parse(event.data)));
feed.addEventListener("changes", (event) => take(JSON.parse(event.data)));
feed.addEventListener("error", () => {
  say(feed.readyState === EventSource.CLOSED ? "Not connected: the gateway refused. Reload to try again." : "Not connected: trying again …");
});
