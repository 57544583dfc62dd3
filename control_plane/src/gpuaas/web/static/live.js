// Shows what happens without a reload. The server writes every page; this only asks for the same page again.
"use strict";

const live = document.querySelector("[data-events]");

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-events]");
  if (!fresh) return;
  const focused = live.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  live.replaceChildren(...fresh.childNodes);
  if (focused) live.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
}

if (live) {
  let running = null;
  let again = false;
  // One at a time: whatever comes meanwhile is in the next one.
  const changed = () => {
    if (running) {
      again = true;
      return;
    }
    running = refresh().finally(() => {
      running = null;
      if (again) {
        again = false;
        changed();
      }
    });
  };
  const source = new EventSource(live.dataset.events);
  source.addEventListener("message", changed);
  // What happened after the page was written and before somebody listened is on no stream.
  source.addEventListener("open", changed);
}
