/* Keys of the duty desk; every page works without this file. Enter never signs: that is kept by the forms themselves. */
(() => {
  "use strict";
  const places = { n: "/console", o: "/console/orders", e: "/console/episodes", t: "/console/tasks", f: "/console/feeds", r: "/review" };
  let waiting = 0;

  const typing = (at) => at.closest("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (pressed) => {
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || typing(pressed.target)) return;
    if (pressed.key === "/") {
      const field = document.querySelector("[data-search]");
      if (field) { field.focus(); field.select(); } else { location.assign("/console/orders"); }
      pressed.preventDefault();
    } else if (pressed.key === "g") {
      waiting = Date.now();
    } else if (places[pressed.key] && Date.now() - waiting < 1200) {
      waiting = 0;
      location.assign(places[pressed.key]);
    } else if (pressed.key === "?") {
      const help = document.getElementById("keys");
      if (help) { help.open = !help.open; help.scrollIntoView({ block: "nearest" }); }
    }
  });

  /* a press that sends is not sent twice by a second press */
  document.addEventListener("submit", (sent) => {
    const form = sent.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { sent.preventDefault(); return; }
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) { delete form.dataset.sent; form.removeAttribute("aria-busy"); }
  });

  /* a part of the page that could not be refreshed says how old it is */
  document.addEventListener("htmx:sendError", () => document.body.classList.add("stale"));
  document.addEventListener("htmx:responseError", () => document.body.classList.add("stale"));
  document.addEventListener("htmx:afterOnLoad", () => document.body.classList.remove("stale"));
  /* an opened table stays open when its part is refreshed */
  document.addEventListener("htmx:beforeSwap", (swap) => {
    const open = [...document.querySelectorAll("details[id][open]")].map((one) => one.id);
    swap.detail.elt.addEventListener("htmx:afterSettle", () => open.forEach((id) => { const one = document.getElementById(id); if (one) one.open = true; }), { once: true });
  });
})();
