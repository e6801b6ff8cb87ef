"use strict";
// Draws the pictures, and leads from a point to its problems and to each call's text. All that comes from
// the sweep is set as text: nothing here writes HTML.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const pictures = read("pictures"), cells = read("cells"), trials = read("trials"), calls = read("calls"),
    asked = read("asked");
  const tip = document.getElementById("tip"), dialog = document.getElementById("drill");

  const make = (name, text = "", className = "") => {
    const made = document.createElement(name);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const number = (value, digits = 2) => (value === null ? "?" : value.toFixed(digits));

  // A tooltip of our own: Vega's writes HTML and brings a style along.
  const showTip = (_handler, event, _item, value) => {
    tip.hidden = !value || typeof value !== "object";
    if (tip.hidden) return;
    const rows = Object.entries(value).flatMap(([name, said]) => [make("dt", name), make("dd", String(said))]);
    tip.replaceChildren(...rows);
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
  };

  const draw = async (place) => {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "begun";
    const { view } = await vegaEmbed(place, pictures[Number(place.dataset.picture)], {
      mode: "vega-lite", renderer: "svg", ast: true, actions: false, defaultStyle: false, tooltip: showTip,
    });
    view.addEventListener("click", (_event, item) => {
      const id = item?.datum?.cell;
      if (id !== undefined && Object.hasOwn(cells, id)) open(id);
    });
    place.dataset.drawn = "done";
  };

  const drawAll = async (root) => {
    for (const place of root.querySelectorAll(".picture")) {
      const folded = place.closest("details");
      if (!folded || folded.open) await draw(place);
    }
  };

  const callOf = ({ key, ended, tokens, thinking, text }) => {
    const made = make("details", "", "call");
    made.append(make("summary", `call ${key}: ${tokens} tokens, ${ended}`));
    if (thinking) made.append(make("pre", thinking, "thinking"));
    made.append(make("pre", text || "(no text)"));
    return made;
  };

  const callsOf = (cell, place, isShared) => {
    const told = cells[cell], own = calls[cell]?.[place];
    if (own) return own.map(callOf);
    if (!isShared || !told.draws) return [make("p", told.unread || "The texts of this run are left out.", "notes")];
    const drawn = calls[told.draws]?.[place] ?? [], who = cells[told.draws]?.strategy ?? "a cell of another sweep";
    return [make("p", `Its calls are the first of those that ${who} drew${drawn.length ? ":" : "."}`, "notes"), ...drawn.map(callOf)];
  };

  const askedOf = (cell, place) => {
    const told = asked[cells[cell].asked]?.[place];
    if (!told) return [];
    const [prompt, reference] = told;
    return [make("pre", prompt, "asked"), make("p", reference ? `Reference: ${reference}` : "Graded by tests.", "notes")];
  };

  const problemOf = (cell, [place, id, correct, answer, error, stop, work, span, isShared]) => {
    const made = make("details", "", "problem"), head = make("summary");
    const verdict = correct === null ? "not graded" : correct === 1 ? "right" : correct === 0 ? "wrong" : number(correct);
    head.append(make("span", verdict, correct === 1 ? "right" : "wrong"), " ", make("span", id), ": ");
    head.append(make("code", answer ?? (error || "no answer")));
    const about = `${work} work, ${span} span, ${stop}${isShared ? ", shared draws" : ""}`;
    head.append(make("span", ` — ${about}`, "verdict"));
    made.append(head);
    made.addEventListener("toggle", () => {
      if (made.open && made.children.length === 1) made.append(...askedOf(cell, place), ...callsOf(cell, place, isShared));
    });
    return made;
  };

  const open = (id) => {
    const told = cells[id], own = trials[id] ?? [];
    document.getElementById("drill-title").textContent = told.strategy;
    document.getElementById("drill-about").textContent =
      `${told.on}, ${told.budget}, seed ${told.seed}, model ${told.model}: accuracy ${number(told.accuracy)} ` +
      `(${number(told.low)}–${number(told.high)}), ${told.status}${told.error ? `: ${told.error}` : ""}; ` +
      `${own.length} of ${told.problems} problems`;
    document.getElementById("drill-problems").replaceChildren(...own.map((one) => problemOf(id, one)));
    tip.hidden = true;
    dialog.showModal();
  };

  for (const button of document.querySelectorAll("button[data-cell]")) {
    button.addEventListener("click", () => open(button.dataset.cell));
  }
  for (const folded of document.querySelectorAll("section > details")) {
    folded.addEventListener("toggle", () => { if (folded.open) drawAll(folded); });
  }
  // On paper nothing can be opened: tables that are folded are printed, pictures that were never drawn are not.
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details:not([open], .problem, .call)")) {
      if (!folded.querySelector(".picture")) folded.open = folded.dataset.printed = true;
    }
  });
  addEventListener("afterprint", () => {
    for (const folded of document.querySelectorAll("details[data-printed]")) {
      folded.open = false;
      delete folded.dataset.printed;
    }
  });
  drawAll(document).then(() => { document.documentElement.dataset.drawn = "all"; });
})();
