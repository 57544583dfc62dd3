// Shows what happens without a reload. The server writes every page; this only asks for the same page again, or for the one
// that a refused form stands on: whenever something happens in the project that the page names, or every so many seconds
// while somebody looks.
import { follow } from "./socket.js";

const live = document.querySelector("[data-live][data-project], [data-every]");
const lost = document.querySelector("[data-lost]");
const parts = (page) => [...page.querySelectorAll("[data-live]")];

async function written() {
  const answer = await fetch(live.dataset.page || location.href, { headers: { Accept: "text/html" } });
  return answer.ok ? parts(new DOMParser().parseFromString(await answer.text(), "text/html")) : [];
}

async function refresh() {
  const before = parts(document);
  let fresh = [];
  try {
    fresh = await written();
  } finally {
    // Another page, such as that of a session that has ended, has other parts.
    if (lost) lost.hidden = fresh.length === before.length;
  }
  // Whoever has marked something is about to copy it.
  const marked = !getSelection().isCollapsed && live.contains(getSelection().anchorNode);
  if (fresh.length !== before.length || marked) return;
  const named = (name) => live.querySelector(`[aria-label="${CSS.escape(name)}"]`);
  const focused = live.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  const scrolled = [...live.querySelectorAll(".scroll[aria-label]")].map((one) => [one.getAttribute("aria-label"), one.scrollLeft]);
  before.forEach((part, number) => part.replaceChildren(...fresh[number].childNodes));
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
    running = refresh()
      // The network was away, or changed: what happened is still not shown.
      .catch(() => setTimeout(changed, 1000))
      .finally(() => {
        running = null;
        if (again) {
          again = false;
          changed();
        }
      });
  };
  // Something may have happened after the page was written and before anybody listened.
  if (live.dataset.project) follow(live.dataset.project, null, { entries: changed, live: changed, ended: changed });
  if (live.dataset.every) setInterval(() => document.hidden || changed(), Number(live.dataset.every) * 1000);
}
