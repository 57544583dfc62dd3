// A project as it lives: what happened, and how it stands. What is sealed is another module's, which the page can do without.
import { follow } from "./socket.js";

const SHOWN = 200;
const board = document.querySelector("[data-dashboard]");
const { project, position } = board.dataset;
const status = document.querySelector("[data-status]");
const timeline = board.querySelector("[data-timeline]");
const none = board.querySelector("[data-none]");
const overview = board.querySelector("[data-overview]");

const say = (words, state) => {
  status.textContent = words;
  status.className = `state ${state}`;
};

function line(entry) {
  const item = document.createElement("li");
  item.dataset.position = entry.position;
  const time = document.createElement("time");
  time.className = "soft";
  time.dateTime = entry.time;
  time.textContent = new Date(entry.time).toLocaleString("en-GB", {
    day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "UTC",
  }) + " UTC";
  const words = document.createElement("span");
  words.append(`${entry.sentence} `);
  const link = document.createElement("a");
  link.href = `/instances/${entry.instance_id}`;
  link.textContent = "instance";
  link.setAttribute("aria-label", `Instance ${entry.instance_id}`);
  words.append(link);
  item.append(time, " ", words);
  return item;
}

function entries(items) {
  none.hidden = true;
  // A reader's place stays where it is: what is new comes above.
  timeline.prepend(...items.map(line).reverse());
  while (timeline.children.length > SHOWN) timeline.lastElementChild.remove();
  if (items.some((entry) => entry.type === "instance.requested")) sealed?.look();
}

const epoch = () => overview.querySelector("[data-epoch]")?.dataset.epoch;

function renew(html) {
  const before = epoch();
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const marked = !getSelection().isCollapsed && overview.contains(getSelection().anchorNode);
  if (marked) return;
  const focused = overview.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  const places = [...overview.querySelectorAll(".scroll[aria-label]")].map((one) => [one.getAttribute("aria-label"), one.scrollLeft]);
  overview.replaceChildren(...fresh.childNodes);
  const named = (name) => overview.querySelector(`[aria-label="${CSS.escape(name)}"]`);
  for (const [name, left] of places) named(name)?.scrollTo({ left });
  if (focused) named(focused)?.focus({ preventScroll: true });
  // Somebody was let in, or a device here was.
  if (epoch() !== before) sealed?.look();
}

let sealed = null;
import("./sealed.js")
  .then((module) => {
    sealed = module.begin(board);
  })
  .catch((error) => {
    console.error(error);
    board.querySelector("[data-sealed]").textContent = "This browser could not load what opens envelopes.";
  });

follow(project, Number(position), {
  live: () => say("live", "running"),
  lost: () => say("reconnecting", "waiting"),
  entries,
  overview: renew,
  // The session is over, or what is shown here is not what there is: the page says so itself.
  ended: () => location.reload(),
});
