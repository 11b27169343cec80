/*
 * An answer given without a signal waits in the telephone and goes out once when the signal is back.
 *
 * The page works without any of this. An answer is sent again only when nobody can have taken it, and the server keeps
 * a repeated one once; so the worst that can come of a lost reply is «answered before». What waits is kept by this
 * page's own address, which the telephone holds already, and is removed as soon as the server has said anything of it.
 */
(() => {
  "use strict";
  const waiting = "answer:" + location.pathname;
  const asleep = document.getElementById("asleep");
  const PATIENCE = 15000, AGAIN = 20000; // milliseconds
  let busy = false;

  const kept = () => {
    try { return localStorage.getItem(waiting); } catch { return null; }
  };
  const keep = (body) => {
    try { localStorage.setItem(waiting, body); return localStorage.getItem(waiting) === body; } catch { return false; }
  };
  const drop = () => {
    try { localStorage.removeItem(waiting); } catch { /* nothing was kept either */ }
  };

  const show = (page, address) => {
    history.replaceState(null, "", address);
    document.open();
    document.write(page);
    document.close();
  };

  /* true: the server has said something of it; false: it did not get there, or the server could not take it now. */
  const send = async (body) => {
    const stop = new AbortController();
    const patience = setTimeout(() => stop.abort(), PATIENCE);
    try {
      const answer = await fetch(location.pathname + "/answer", {
        method: "POST", body: new URLSearchParams(body), credentials: "omit", signal: stop.signal,
      });
      if (answer.status >= 500 || answer.status === 429) return false;
      const page = await answer.text();
      drop();
      show(page, answer.redirected ? answer.url : location.pathname);
      return true;
    } catch {
      return false;
    } finally {
      clearTimeout(patience);
    }
  };

  const sendKept = async () => {
    const body = kept();
    if (body === null || busy) return;
    asleep.hidden = false;
    busy = true;
    await send(body);
    busy = false;
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target, pressed = event.submitter;
    if (!pressed || form.querySelector("[name=of]")) return; // a report is long: the browser sends it
    const said = new FormData(form);
    said.append(pressed.name, pressed.value);
    if (!said.get("action") || (said.get("action") === "decline" && !said.has("remark"))) return;
    const body = new URLSearchParams(said).toString();
    if (busy || !keep(body)) return; // where nothing can be kept the browser sends it as ever
    event.preventDefault();
    busy = true;
    const taken = await send(body); // what a telephone says of its own network is not to be relied on
    busy = false;
    if (!taken) {
      asleep.hidden = false;
      asleep.scrollIntoView({ block: "center" });
    }
  });

  addEventListener("online", sendKept);
  setInterval(sendKept, AGAIN);
  sendKept();
})();
