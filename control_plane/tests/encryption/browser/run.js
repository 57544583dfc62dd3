// Opens and seals what the test asks for, and reports what came of it.
import { Refused, generate, instanceBinding, open, readPrivate, seal, unlock, verified } from "/static/envelope.js";

const post = async (path, body) => (await fetch(path, { method: "POST", body: JSON.stringify(body) })).json();
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16));
const hex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
const AGREE = "ECDH-ES+A256KW";

async function opened(served, agree) {
  try {
    const chain = await verified(served.environment, served.project, served.records, served.pin);
    const { instance: of, expected } = served;
    if (of) expected.binding = await instanceBinding(served.environment, served.project, of.id, of.name);
    return { plaintext: hex(await open(served.envelope, expected, chain, agree ?? (await readPrivate(served.key, AGREE)))) };
  } catch (error) {
    return error instanceof Refused ? { reason: error.reason } : { error: String(error) };
  }
}

async function sealed(asked, chain, author) {
  return seal(bytes(asked.plaintext), asked.binding, author, chain.epochs[asked.epoch - 1], asked.others);
}

/** Whether a private half comes out of a key by any way that there is. */
async function secret(key) {
  const tries = ["jwk", "pkcs8", "raw"].map((format) => crypto.subtle.exportKey(format, key));
  return (await Promise.allSettled(tries)).every((result) => result.status === "rejected");
}

async function run() {
  const me = await generate("browser");
  const work = await post("/begin", me.members);
  const report = { opened: {}, sealed: {}, mine: {}, secret: [] };
  for (const [name, served] of Object.entries(work.served)) report.opened[name] = await opened(served);
  for (const [name, asked] of Object.entries(work.seal)) {
    const chain = await verified(asked.environment, asked.project, asked.records, asked.pin);
    const author = await readPrivate(asked.author, "ES256");
    report.sealed[name] = await sealed(asked, chain, author);
  }
  for (const [name, served] of Object.entries(work.mine)) {
    report.mine[name] = await opened(served, me.agree);
    const chain = await verified(served.environment, served.project, served.records, served.pin);
    report.sealed[name] = await sealed({ ...served, plaintext: work.plaintext, binding: served.expected.binding, epoch: chain.current.number, others: [] }, chain, me.sign);
    const held = await unlock(chain, me.agree);
    for (const key of [me.sign.key, me.agree.key, ...held.values()]) report.secret.push(await secret(key));
  }
  return report;
}

run().catch((error) => ({ failed: `${error} ${error.stack}` })).then((report) => post("/report", report));
