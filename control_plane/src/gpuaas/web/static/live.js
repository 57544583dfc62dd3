// Shows what happens without a reload. The server writes every page; this only asks for the same page again: whenever the
// stream of events that the page names says something, or every so many seconds while somebody looks.
"use strict";

const PLACE = "[data-events], [data-every]";
const live = document.querySelector(PLACE);
const lost = document.querySelector("[data-lost]");

async function page() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  } catch {
    return null;
  }
}

async function refresh() {
  const fresh = (await page())?.querySelector(PLACE);
  if (lost) lost.hidden = Boolean(fresh);
  // Whoever has marked something is about to copy it.
  if (!fresh || (!getSelection().isCollapsed && live.contains(getSelection().anchorNode))) return;
  const named = (name) => live.querySelector(`[aria-label="${CSS.escape(name)}"]`);
  const focused = live.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  const scrolled = [...live.querySelectorAll(".scroll[aria-label]")].map((one) => [one.getAttribute("aria-label"), one.scrollLeft]);
  live.replaceChildren(...fresh.childNodes);
  for (const [name, left] of scrolled) named(name)?.scrollTo({ left });
  if (focused) named(focused)?.focus({ preventScroll: true });
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
  if (live.dataset.events) new EventSource(live.dataset.events).addEventListener("message", changed);
  if (live.dataset.every) setInterval(() => document.hidden || changed(), Number(live.dataset.every) * 1000);
}
