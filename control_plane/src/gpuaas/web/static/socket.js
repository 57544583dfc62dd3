// The one connection over which the console tells what happens in a project (gpuaas.web.live). It comes back by itself, from the
// position where it was; `sockets.py` has the codes that it is closed with.

// The console says something at least every five seconds: a network that went away says nothing, not even that.
const SILENCE = 20000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;
const SESSION_ENDED = 4401;
const POSITION_GONE = 4410;
const TOO_MANY = 4429;
const NEVER = [4400, 4403];

/** `on` has what is to be called, if anything: live(), lost(), entries(items), overview(html), ended(code). */
export function follow(project, position, on) {
  let wait = FIRST_WAIT;
  let last = position;

  const connect = () => {
    const query = new URLSearchParams({ project });
    if (last !== null) query.set("position", last);
    const url = new URL(`/live?${query}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    let over = false;
    let silence = null;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => finish(1006), SILENCE);
    };
    const finish = (code) => {
      if (over) return;
      over = true;
      clearTimeout(silence);
      socket.close();
      on.lost?.();
      if (code === POSITION_GONE) {
        // What was shown is not what there is.
        last = null;
        on.ended?.(code);
      } else if (code === SESSION_ENDED || NEVER.includes(code)) {
        on.ended?.(code);
        return;
      }
      if (code === TOO_MANY) wait = LONGEST_WAIT;
      // Not all at once, when the console is replaced.
      setTimeout(connect, wait * (0.5 + Math.random()));
      wait = Math.min(2 * wait, LONGEST_WAIT);
    };
    heard();
    socket.addEventListener("close", (event) => finish(event.code));
    socket.addEventListener("message", (event) => {
      if (over) return;
      heard();
      const message = JSON.parse(event.data);
      if (message.kind === "begins") {
        wait = FIRST_WAIT;
        last = message.position;
        on.live?.();
      } else if (message.kind === "entries") {
        last = message.position;
        on.entries?.(message.items);
      } else if (message.kind === "overview") {
        on.overview?.(message.html);
      }
    });
  };
  connect();
}
