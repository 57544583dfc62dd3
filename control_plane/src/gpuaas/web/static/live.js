// Shows what happens without a reload. The server writes every page; this only asks for the same page again, or for the one
// that a refused form stands on.
"use strict";

const live = document.querySelector("[data-events]");

async function refresh() {
  const answer = await fetch(live.dataset.page || location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const before = document.querySelectorAll("[data-live]");
  const fresh = page.querySelectorAll("[data-live]");
  // Another page, such as that of a session that has ended.
  if (fresh.length !== before.length) return;
  const focused = live.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  before.forEach((part, number) => part.replaceChildren(...fresh[number].childNodes));
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
  const source = new EventSource(live.dataset.events);
  source.addEventListener("message", changed);
  // Something may have happened after the page was written and before anybody listened.
  source.addEventListener("open", changed);
}
