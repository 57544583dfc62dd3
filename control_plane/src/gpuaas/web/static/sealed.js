// What is sealed for the members of a project: opened here, with a key that stays here. The server is believed nothing:
// what it says of epochs is verified against a pin, and a device is let in by the key that the device itself shows.
import { Refused, begin as founded, digest, generate, instanceBinding, joined, left, memberKid, open, readRecovery, unlock, verified } from "./envelope.js";
import { Keys } from "./keys.js";

function made(tag, words, also = {}) {
  const element = document.createElement(tag);
  if (words) element.textContent = words;
  for (const [name, value] of Object.entries(also)) {
    if (name === "class") element.className = value;
    else element.setAttribute(name, value);
  }
  return element;
}

const soft = (words) => made("p", words, { class: "soft" });
const bad = (words, id) => made("p", words, { class: "note bad", role: "alert", "data-testid": id });

/** Look after the parts of `board`; `look()` looks again. */
export function begin(board) {
  const { project, user, csrf } = board.dataset;
  const signs = "signs" in board.dataset;
  // Of the address that this browser went to, not of what the server says.
  const environment = location.hostname.split(".").slice(1).join(".");
  const keys = new Keys(environment, user);
  const list = board.querySelector("[data-sealed]");
  const mine = board.querySelector("[data-device]");
  let recovery = null;
  let running = null;
  let again = false;
  // While the recovery key is on the screen: it is shown once, so nothing takes its place but its reader.
  let holding = false;

  async function sent(path, body) {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
      body: JSON.stringify({ project, ...body }),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(`${said.code}: ${said.detail}`);
    return said;
  }

  function button(words, id, work) {
    const element = made("button", words, { type: "button", "data-testid": id });
    element.addEventListener("click", async () => {
      element.disabled = true;
      try {
        await work();
        // Whoever works by keyboard goes on where the button was.
        if (!element.isConnected) mine.querySelector("button, input, [tabindex]")?.focus();
      } catch (error) {
        element.after(bad(error instanceof Refused ? `Refused: ${error.reason}` : String(error.message ?? error), "refused"));
        element.disabled = false;
      }
    });
    return element;
  }

  /** The chain, as this browser trusts it; `candidate` where it has no pin yet, and somebody has to compare. */
  async function trusted(records) {
    if (!records.length) return {};
    const pin = await keys.pin(project);
    if (pin) {
      const chain = await verified(environment, project, records, pin);
      await keys.trust(project, { number: chain.current.number, digest: chain.current.digest });
      return { chain };
    }
    const newest = { number: records.length, digest: await digest(records.at(-1)) };
    return { candidate: await verified(environment, project, records, newest) };
  }

  const isMember = (chain, device) => Boolean(chain && device && chain.current.members.has(device.sign.kid));

  async function item({ instance_id: id, name, content }, chain, reader) {
    const part = made("div", "", { "data-testid": "sealed-item", "data-kind": content.kind });
    part.append(made("h3", name));
    const show = (words, who) => part.append(soft(who), made("pre", words, { class: "code", tabindex: "0", "data-testid": "opened" }));
    if (content.kind === "plain") show(content.content, `The server opened it for you (${content.security_mode}).`);
    else if (!reader) part.append(soft(`Sealed. The server does not open it (${content.reason}), and this browser cannot yet.`));
    else {
      try {
        // Of the instance that is shown, not of what the server says that this one is.
        const binding = await instanceBinding(environment, project, id, name);
        const bytes = await open(content.envelope, { binding, oldest_epoch: 1 }, chain, reader);
        show(new TextDecoder().decode(bytes), "Opened in this browser.");
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        part.append(bad(`Refused: ${error.reason}. It is not what it should be, and was not opened.`, "refused"));
      }
    }
    return part;
  }

  /** Send an epoch that this device signed, and trust it. */
  async function began(next) {
    await sent("/dashboard/epochs", { record: next.record });
    await keys.trust(project, next.pin);
    await look();
  }

  function members(chain, device) {
    const part = made("div", "");
    part.append(made("h3", "Other members"));
    const others = [...chain.current.members.values()].filter((each) => each.sign.kid !== device.sign.kid);
    if (!others.length) part.append(soft("None."));
    else if (signs) part.append(soft("Who is removed keeps what they have opened, and reads nothing that is sealed from then on."));
    for (const { name, sign: { kid } } of others) {
      const row = made("div", "", { class: "device", "data-testid": "member" });
      row.append(made("p", `${name}: `), made("code", kid));
      if (signs) {
        const remove = button(`Remove ${kid.slice(0, 8)}`, "remove", async () => began(await left(chain, device, kid)));
        remove.className = "quiet danger";
        const line = made("p", "");
        line.append(remove);
        row.append(line);
      }
      part.append(row);
    }
    return part;
  }

  function waiting(devices, chain, device) {
    const part = made("div", "");
    part.append(made("h3", "Devices that ask to be members"));
    const others = devices.filter((each) => !chain.current.members.has(each.kid));
    if (!others.length) part.append(soft("None."));
    for (const { name, kid, public: given } of others) {
      const row = made("div", "", { class: "device", "data-testid": "asking" });
      row.append(made("p", `${name}: `), made("code", kid));
      if (signs) {
        const letIn = button(`Let in ${kid.slice(0, 8)}`, "let-in", async () => began(await joined(chain, device, given)));
        row.append(soft("Let it in only if that device shows exactly this key."), letIn);
      }
      part.append(row);
    }
    return part;
  }

  function recoveryField(records) {
    const form = made("form", "", { class: "fields" });
    const label = made("label", "Recovery key, of who has no device any more", { class: "wide" });
    const input = made("input", "", { autocomplete: "off", spellcheck: "false", "data-testid": "recovery-input" });
    const submit = made("button", "Open with it", { class: "quiet", "data-testid": "recover" });
    label.append(input);
    form.append(label, submit);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const { reader, pin } = await readRecovery(input.value);
        const chain = await verified(environment, project, records, pin);
        await unlock(chain, reader);
        await keys.trust(project, { number: chain.current.number, digest: chain.current.digest });
        recovery = reader;
        input.value = "";
        await look();
      } catch (error) {
        form.after(bad(`Refused: ${error.reason ?? error}`, "refused"));
      }
    });
    return form;
  }

  async function device(its, chain, candidate, devices, records) {
    const parts = [];
    const show = () => parts.push(made("p", "The key of this browser: "), made("code", its.sign.kid, { "data-testid": "kid" }));
    if (!its) {
      parts.push(
        soft("This browser has no key. A key that is made here stays here: nobody can read it out, and neither can this page."),
        button("Make a key for this browser", "make-key", async () => {
          await keys.keep(await generate(user));
          await look();
        }),
      );
    } else if (!chain && !candidate) {
      show();
      parts.push(signs ? button("Begin to seal in this project", "found", async () => {
        const first = await founded(environment, project, its);
        await sent("/dashboard/epochs", { record: first.record });
        await keys.trust(project, first.pin);
        told(first.recovery);
      }) : soft("Nothing is sealed in this project yet. An operator begins."));
    } else if (candidate) {
      show();
      const { number } = candidate.current;
      parts.push(
        soft(`This browser has seen no epoch of this project yet. Compare this with what a device of a member shows as epoch ${number}:`),
        made("code", candidate.current.digest, { "data-testid": "pin" }),
        made("p", ""),
        button("It is the same", "trust", async () => {
          await keys.trust(project, { number, digest: candidate.current.digest });
          await look();
        }),
      );
    } else if (isMember(chain, its)) {
      show();
      parts.push(soft(`This browser is a member, as of epoch ${chain.current.number}. To compare: `), made("code", chain.current.digest, { "data-testid": "pin" }));
      parts.push(members(chain, its), waiting(devices, chain, its));
    } else {
      show();
      parts.push(soft("It is no member, or not any more. Open this page on a device that is one, compare the key, and let it in there."));
    }
    if (its && (chain || candidate) && !isMember(chain ?? candidate, its)) await sent("/dashboard/devices", { public: its.members });
    if (records.length && !isMember(chain, its)) parts.push(recoveryField(records));
    mine.replaceChildren(...parts);
  }

  /** The customer's, once: it is kept nowhere. */
  function told(key) {
    holding = true;
    mine.replaceChildren(
      made("p", "The recovery key of this project reads all that is sealed in it. Write it down now: it is shown once, and was sent nowhere."),
      made("pre", key, { class: "code wrap", tabindex: "0", "data-testid": "recovery" }),
      button("I have written it down", "written", () => {
        holding = false;
        return look();
      }),
    );
  }

  async function looked() {
    const answer = await fetch(`/dashboard/sealed?${new URLSearchParams({ project })}`);
    if (!answer.ok) throw new Error(`the console answers ${answer.status}`);
    const { envelopes, epochs, devices } = await answer.json();
    const its = await keys.device();
    let found = {};
    try {
      found = await trusted(epochs.records);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const words = `Refused: ${error.reason}. The server's epochs are not those that this browser trusts. Nothing is opened.`;
      list.replaceChildren(bad(words, "refused"));
      mine.replaceChildren(soft("Ask another member what they see before you do anything."));
      return;
    }
    const { chain, candidate } = found;
    const asking = [];
    // The key that is shown is the key that would be let in.
    for (const each of devices.items) asking.push({ name: each.name, public: each.public, kid: await memberKid(each.public) });
    const reader = isMember(chain, its) ? its.agree : chain && recovery;
    const items = [];
    for (const each of envelopes.items) items.push(await item(each, chain, reader));
    list.replaceChildren(...(items.length ? items : [made("p", "Nothing is sealed here.", { class: "soft", "data-testid": "nothing-sealed" })]));
    // What somebody is typing stays, too.
    if (!holding && !mine.querySelector("input")?.value) await device(its, chain, candidate, asking, epochs.records);
  }

  /** One look at a time: who asks meanwhile is told by the next one. */
  function look() {
    if (running) {
      again = true;
      return running;
    }
    running = looked()
      .catch((error) => list.replaceChildren(bad(`Could not look: ${error.message ?? error}`, "refused")))
      .finally(() => {
        running = null;
        if (again) {
          again = false;
          look();
        }
      });
    return running;
  }
  look();
  return { look };
}
