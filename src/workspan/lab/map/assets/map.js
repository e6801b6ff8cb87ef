// Walking the map: one view is shown, its middle can be opened. All that is said stands in the page.
"use strict";

(() => {
  const root = document.documentElement;
  const views = new Map([...document.querySelectorAll(".view")].map((one) => [one.id.slice(3), one]));
  const articles = new Map([...document.querySelectorAll("article[data-idea]")].map((one) => [one.dataset.idea, one]));
  const state = document.getElementById("state");
  const opener = document.getElementById("open");
  const all = document.getElementById("all");
  let here = "";

  const middle = () => views.get(here).querySelector(".centre");
  const around = () => [...views.get(here).querySelectorAll(".node:not(.centre)")];

  function asked() {
    const [, kind, idea] = /^#(at|idea)-([a-z_]+)$/.exec(location.hash) ?? [];
    return views.has(idea) ? { idea, isOpen: kind === "idea" } : { idea: views.keys().next().value, isOpen: false };
  }

  function open(isOpen) {
    articles.get(here).classList.toggle("open", isOpen);
    middle().setAttribute("aria-expanded", String(isOpen));
    middle().querySelector(".hint").textContent = isOpen ? "click to close" : "click to open";
    opener.textContent = isOpen ? "Close" : "Open";
    opener.setAttribute("aria-expanded", String(isOpen));
  }

  function show(idea, isOpen, takesFocus) {
    here = idea;
    for (const [name, view] of views) view.classList.toggle("shown", name === idea);
    const frame = views.get(idea).parentElement; // of a small screen: the middle first
    frame.scrollLeft = (frame.scrollWidth - frame.clientWidth) / 2;
    for (const [name, article] of articles) article.classList.toggle("here", name === idea);
    open(isOpen);
    state.textContent = articles.get(idea).dataset.said;
    if (takesFocus) middle().focus({ preventScroll: true });
  }

  function walk(idea) {
    history.pushState(null, "", `#at-${idea}`);
    show(idea, false, true);
  }

  function press(node) {
    if (node.classList.contains("centre")) open(!articles.get(here).classList.contains("open"));
    else walk(node.dataset.idea);
  }

  document.addEventListener("click", (event) => {
    const node = event.target.closest(".node, a.to");
    if (!node || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    press(node);
  });

  const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      open(false);
      middle().focus({ preventScroll: true });
      return;
    }
    const node = event.target.closest?.(".node");
    if (!node) return;
    if (event.key === " ") {
      event.preventDefault();
      press(node);
    } else if (event.key === "Home") {
      event.preventDefault();
      middle().focus({ preventScroll: true });
    } else if (event.key in STEPS) {
      event.preventDefault();
      const others = around();
      const at = others.indexOf(node);
      const step = STEPS[event.key];
      const next = at < 0 ? (step > 0 ? 0 : others.length - 1) : (at + step + others.length) % others.length;
      others[next].focus({ preventScroll: true });
    }
  });

  opener.addEventListener("click", () => open(!articles.get(here).classList.contains("open")));
  all.addEventListener("click", () => {
    const isAll = root.classList.toggle("every-idea");
    all.setAttribute("aria-pressed", String(isAll));
  });
  addEventListener("popstate", () => {
    const { idea, isOpen } = asked();
    show(idea, isOpen, false);
  });

  root.classList.add("scripted");
  const { idea, isOpen } = asked();
  show(idea, isOpen, false);
})();
