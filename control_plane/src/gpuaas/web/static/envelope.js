// Envelopes and epochs in a browser: WebCrypto through jose, and nothing of gpuaas.encryption's Python. What it refuses has the same names.
import {
  CompactSign, GeneralEncrypt, base64url, calculateJwkThumbprint, compactVerify, generalDecrypt, importJWK,
} from "./jose/index.js";

const SIGNATURE = "ES256";
const KEY_MANAGEMENT = "ECDH-ES+A256KW";
const CONTENT = "A256GCM";
const VERSION = 1;
const RECOVERY = "gpuaas-recovery-1";
const LONGEST = { envelope: 96 * 1024, epoch: 256 * 1024 };
const LONGEST_PLAINTEXT = 32 * 1024;
const MOST_RECIPIENTS = 128;
const MOST_READERS = 16;
const COMPARED = ["environment", "data_class", "project", "event_id", "type", "schema_version"];
const RECORD = ["environment", "project", "number", "previous", "key", "members", "recovery", "private", "before"];

/** Something was not opened, sealed or trusted; `reason` is an id of gpuaas.encryption.refusal. */
export class Refused extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const refuse = (kind, cause) => {
  throw new Refused(`${kind}_${cause}`);
};

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const has = (members, names) => {
  const found = Object.keys(members);
  return found.length === names.length && names.every((name) => Object.hasOwn(members, name));
};
const same = (one, other) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
const sorted = (value) =>
  isObject(value) ? Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])])) : value;

// JSON and base64url that can be written in one way alone.

function decode(text, kind) {
  if (typeof text !== "string" || !/^[A-Za-z0-9_-]*$/.test(text)) refuse(kind, "base64url");
  let data;
  try {
    data = base64url.decode(text);
  } catch {
    refuse(kind, "base64url");
  }
  if (base64url.encode(data) !== text) refuse(kind, "base64url");
  return data;
}

function text(bytes, kind) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(kind, "malformed");
  }
}

function parse(written, kind) {
  let members;
  try {
    members = JSON.parse(written);
  } catch {
    refuse(kind, "malformed");
  }
  // JSON.parse keeps the last of two members of a name: look for them before anything is believed.
  const open = [];
  let last = null;
  for (const [token] of written.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g)) {
    if (token === "{" || token === "[") open.push(token === "{" ? new Set() : null);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") {
      const names = open.at(-1);
      const name = JSON.parse(last);
      if (names.has(name)) refuse(kind, "duplicate_name");
      names.add(name);
    } else if (token === "true" || token === "false") refuse(kind, "malformed");
    else if (/^-?\d/.test(token) && !/^-?\d+$/.test(token)) refuse(kind, "malformed");
    last = token;
  }
  if (!isObject(members)) refuse(kind, "malformed");
  return members;
}

function header(encoded, kind) {
  const written = text(decode(encoded, kind), kind);
  const members = parse(written, kind);
  if (JSON.stringify(members) !== written) refuse(kind, "malformed");
  return members;
}

// Keys.

async function readPublic(jwk, kind, algorithm, usable = true) {
  if (!isObject(jwk) || !has(jwk, ["crv", "kty", "x", "y"]) || jwk.kty !== "EC" || jwk.crv !== "P-256") refuse(kind, "malformed");
  if (["x", "y"].some((name) => decode(jwk[name], kind).length !== 32)) refuse(kind, "malformed");
  const kid = await calculateJwkThumbprint(jwk);
  try {
    const key = await importJWK(jwk, algorithm);
    return { kid, jwk, key: usable ? key : null };
  } catch {
    return refuse(kind, "malformed");
  }
}

/** A pair that can be read out: of an epoch, to be sealed, or the customer's to write down. */
async function draw() {
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  const { crv, kty, x, y, d } = await crypto.subtle.exportKey("jwk", pair.privateKey);
  const jwk = { crv, kty, x, y };
  return { jwk, secret: { ...jwk, d }, kid: await calculateJwkThumbprint(jwk), key: pair.publicKey };
}

/** A private key, of which WebCrypto never gives the private half back. */
export async function readPrivate(jwk, algorithm) {
  return { kid: await calculateJwkThumbprint(jwk), key: await importJWK(jwk, algorithm, { extractable: false }) };
}

/** A new member of this browser: two pairs of keys that cannot be read out. */
export async function generate(name) {
  const make = async (algorithm, usages) => {
    const pair = await crypto.subtle.generateKey({ name: algorithm, namedCurve: "P-256" }, false, usages);
    const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const jwk = { crv, kty, x, y };
    return { kid: await calculateJwkThumbprint(jwk), key: pair.privateKey, jwk };
  };
  const sign = await make("ECDSA", ["sign", "verify"]);
  const agree = await make("ECDH", ["deriveBits"]);
  return { name, sign, agree, members: { name, sign: sign.jwk, agree: agree.jwk } };
}

// What somebody signed.

function readSigned(kind, jws) {
  if (jws.length > LONGEST[kind]) refuse(kind, "oversize");
  const parts = jws.split(".");
  if (parts.length !== 3) refuse(kind, "malformed");
  const members = header(parts[0], kind);
  const payload = decode(parts[1], kind);
  decode(parts[2], kind);
  if (!has(members, ["alg", "kid", "typ"]) || typeof members.kid !== "string") refuse(kind, "malformed");
  if (members.alg !== SIGNATURE) refuse(kind, "algorithm");
  if (members.typ !== `gpuaas-${kind}.${VERSION}`) refuse(kind, "version");
  return { kind, jws, signer: members.kid, document: parse(text(payload, kind), kind) };
}

async function verify(signed, key) {
  try {
    await compactVerify(signed.jws, key, { algorithms: [SIGNATURE] });
  } catch {
    refuse(signed.kind, "signature");
  }
}

// What is sealed for readers.

async function readSealed(kind, document) {
  const parts = ["protected", "recipients", "iv", "ciphertext", "tag"];
  if (Object.keys(document).some((name) => !parts.includes(name))) refuse(kind, "unprotected");
  if (!has(document, parts)) refuse(kind, "malformed");
  const members = header(document.protected, kind);
  if (members.alg !== KEY_MANAGEMENT || members.enc !== CONTENT || "zip" in members) refuse(kind, "algorithm");
  const { recipients } = document;
  if (!Array.isArray(recipients) || recipients.length < 1 || recipients.length > MOST_RECIPIENTS) refuse(kind, "malformed");
  const shared = recipients.length === 1 && "epk" in members ? ["epk"] : [];
  if (
    !has(members, ["alg", "enc", "crit", "gpuaas", ...shared]) || JSON.stringify(members.crit) !== '["gpuaas"]' ||
    !isObject(members.gpuaas)
  ) refuse(kind, "malformed");
  if (shared.length) await readPublic(members.epk, kind, KEY_MANAGEMENT, false);
  const readers = [];
  for (const recipient of recipients) {
    const names = shared.length ? ["kid"] : ["kid", "epk"];
    if (!isObject(recipient) || !has(recipient, ["header", "encrypted_key"])) refuse(kind, "malformed");
    const its = recipient.header;
    if (!isObject(its) || names.some((name) => !(name in its)) || typeof its.kid !== "string") refuse(kind, "malformed");
    if (!has(its, names)) refuse(kind, "unprotected");
    if (!shared.length) await readPublic(its.epk, kind, KEY_MANAGEMENT, false);
    decode(recipient.encrypted_key, kind);
    readers.push(its.kid);
  }
  if (new Set(readers).size !== readers.length) refuse(kind, "malformed");
  const [iv, tag] = ["iv", "tag", "ciphertext"].map((name) => decode(document[name], kind).length);
  if (iv !== 12 || tag !== 16) refuse(kind, "malformed");
  return { kind, document, bound: members.gpuaas, readers };
}

async function openWith(sealed, held) {
  const place = sealed.readers.findIndex((reader) => held.has(reader));
  if (place < 0) refuse(sealed.kind, "recipient");
  try {
    const mine = { ...sealed.document, recipients: [sealed.document.recipients[place]] };
    const opened = await generalDecrypt(mine, held.get(sealed.readers[place]), {
      keyManagementAlgorithms: [KEY_MANAGEMENT],
      contentEncryptionAlgorithms: [CONTENT],
      crit: { gpuaas: true },
    });
    return opened.plaintext;
  } catch {
    return refuse(sealed.kind, "decryption");
  }
}

// Epochs.

/** The hash of a record, which members compare and pin. */
export const digest = async (record) =>
  base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(record))));

async function readMember(given) {
  if (!isObject(given) || !has(given, ["name", "sign", "agree"])) refuse("epoch", "malformed");
  if (typeof given.name !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(given.name)) refuse("epoch", "malformed");
  const sign = await readPublic(given.sign, "epoch", SIGNATURE);
  const agree = await readPublic(given.agree, "epoch", KEY_MANAGEMENT);
  if (sign.kid === agree.kid) refuse("epoch", "malformed");
  return { name: given.name, sign, agree };
}

/** The thumbprint of a member's key to sign: computed, whatever a server says that it is. */
export const memberKid = async (given) => (await readMember(given)).sign.kid;

async function extended(environment, project, epochs, record) {
  const signed = readSigned("epoch", record);
  const given = signed.document;
  if (!has(given, RECORD)) refuse("epoch", "malformed");
  const number = epochs.length + 1;
  const last = epochs.at(-1);
  if (given.environment !== environment) refuse("epoch", "environment");
  if (given.project !== project) refuse("epoch", "project");
  if (given.number !== number || given.previous !== (last ? last.digest : null)) refuse("epoch", "chain");
  if (!Array.isArray(given.members) || given.members.length < 1 || given.members.length >= MOST_RECIPIENTS) refuse("epoch", "malformed");
  const members = new Map();
  for (const each of given.members) {
    const member = await readMember(each);
    members.set(member.sign.kid, member);
  }
  const recovery = given.recovery === null ? null : await readPublic(given.recovery, "epoch", KEY_MANAGEMENT);
  const key = await readPublic(given.key, "epoch", KEY_MANAGEMENT);
  const sealed = async (document) => (isObject(document) ? readSealed("epoch", document) : refuse("epoch", "malformed"));
  const its = await sealed(given.private);
  const before = given.before === null ? null : await sealed(given.before);
  const readers = new Set([...members.values()].map((member) => member.agree.kid).concat(recovery ? [recovery.kid] : []));
  if (readers.has(key.kid) || epochs.some((epoch) => epoch.key.kid === key.kid)) refuse("epoch", "key");
  if (members.size !== given.members.length || (before === null) !== (number === 1)) refuse("epoch", "malformed");
  if (its.readers.length !== readers.size || !its.readers.every((reader) => readers.has(reader))) refuse("epoch", "recipient");
  if (before && !same(before.readers, [key.kid])) refuse("epoch", "recipient");
  const bound = (epoch, kid) => ({ version: VERSION, environment, project, epoch, key: kid });
  if (!same(its.bound, bound(number, key.kid)) || (before && !same(before.bound, bound(number - 1, last.key.kid)))) refuse("epoch", "key");
  const signer = (last ?? { members }).members.get(signed.signer);
  if (!signer) refuse("epoch", "signer");
  await verify(signed, signer.sign.key);
  return [...epochs, { number, key, members, given: given.members, recovery: given.recovery, private: its, before, digest: await digest(record) }];
}

/** The chain of a project's epochs, which goes through `pin`. */
export async function verified(environment, project, records, pin) {
  let epochs = [];
  for (const record of records) epochs = await extended(environment, project, epochs, record);
  if (epochs.length < pin.number) refuse("epoch", "rolled_back");
  if (epochs[pin.number - 1].digest !== pin.digest) refuse("epoch", "pin");
  return { environment, project, epochs, current: epochs.at(-1) };
}

/** The private keys of all epochs, for the owner of `agree`; none of them can be read out. */
export async function unlock(chain, agree) {
  const opened = new Map();
  let sealed = chain.current.private;
  let opener = new Map([[agree.kid, agree.key]]);
  for (const epoch of [...chain.epochs].reverse()) {
    const jwk = parse(text(await openWith(sealed, opener), "epoch"), "epoch");
    const { d, ...half } = jwk;
    if (!same(half, epoch.key.jwk)) refuse("epoch", "key");
    let key;
    try {
      // WebCrypto imports a private half that is not of this public one; then nothing opens with it.
      ({ key } = await readPrivate(jwk, KEY_MANAGEMENT));
    } catch {
      refuse("epoch", "malformed");
    }
    opened.set(epoch.key.kid, key);
    if (!epoch.before) break;
    sealed = epoch.before;
    opener = new Map([[epoch.key.kid, key]]);
  }
  return opened;
}

async function sealFor(readers, plaintext, bound) {
  const jwe = new GeneralEncrypt(plaintext).setProtectedHeader({ alg: KEY_MANAGEMENT, enc: CONTENT, crit: ["gpuaas"], gpuaas: bound });
  for (const { kid, key } of readers) jwe.addRecipient(key, { crit: { gpuaas: true } }).setUnprotectedHeader({ kid });
  return jwe.encrypt();
}

const sign = (kind, document, signer) =>
  new CompactSign(new TextEncoder().encode(JSON.stringify(document)))
    .setProtectedHeader({ alg: SIGNATURE, kid: signer.kid, typ: `gpuaas-${kind}.${VERSION}` })
    .sign(signer.key);

async function written(chain, signer, members, recovery, before) {
  const { environment, project, epochs } = chain;
  const number = epochs.length + 1;
  const own = await draw();
  const readers = [];
  for (const member of members) readers.push((await readMember(member)).agree);
  if (recovery) readers.push(await readPublic(recovery, "epoch", KEY_MANAGEMENT));
  const bytes = (secret) => new TextEncoder().encode(JSON.stringify(secret));
  const bound = (epoch, kid) => ({ version: VERSION, environment, project, epoch, key: kid });
  const document = {
    environment,
    project,
    number,
    previous: epochs.at(-1)?.digest ?? null,
    key: own.jwk,
    members,
    recovery: recovery ?? null,
    private: await sealFor(readers, bytes(own.secret), bound(number, own.kid)),
    before: before && (await sealFor([own], bytes(before), bound(number - 1, epochs.at(-1).key.kid))),
  };
  const signed = await sign("epoch", document, signer);
  // Nothing leaves this browser that it would not believe itself.
  const extendedBy = await extended(environment, project, epochs, signed);
  return { record: signed, pin: { number, digest: extendedBy.at(-1).digest } };
}

/** The first record of a project, with this device as its only member, and the recovery key that reads it, to be written down. */
export async function begin(environment, project, device) {
  const recovery = await draw();
  const made = await written({ environment, project, epochs: [] }, device.sign, [device.members], recovery.jwk, null);
  const { x, y, d } = recovery.secret;
  return { ...made, recovery: [RECOVERY, x, y, d, made.pin.digest].join(".") };
}

/** The record of one epoch more, with these members: signed by this device, which must be a member of the newest. */
async function rotated(chain, device, members) {
  const before = parse(text(await openWith(chain.current.private, new Map([[device.agree.kid, device.agree.key]])), "epoch"), "epoch");
  return written(chain, device.sign, members, chain.current.recovery, before);
}

/** With `member` in it. */
export const joined = (chain, device, member) => rotated(chain, device, [...chain.current.given, member]);

/** Without the member of this thumbprint, who reads what was before, and nothing of what comes. */
export async function left(chain, device, kid) {
  const kids = await Promise.all(chain.current.given.map(memberKid));
  return rotated(chain, device, chain.current.given.filter((_member, place) => kids[place] !== kid));
}

/** What a recovery key that somebody typed reads with, and the first epoch, which it was made with and trusts. */
export async function readRecovery(typed) {
  const [kind, x, y, d, first, ...more] = typed.trim().split(".");
  if (kind !== RECOVERY || !first || more.length) refuse("epoch", "malformed");
  const jwk = { crv: "P-256", kty: "EC", x, y };
  const { kid } = await readPublic(jwk, "epoch", KEY_MANAGEMENT, false);
  try {
    const { key } = await readPrivate({ ...jwk, d }, KEY_MANAGEMENT);
    return { reader: { kid, key }, pin: { number: 1, digest: first } };
  } catch {
    return refuse("epoch", "malformed");
  }
}

// What is private of an instance.

const INSTANCE = { type: "instance.private", schema_version: 2 };
const INSTANCE_SPACE = "0d0c3cf96f0b4a538d5e6c2f1b7a9e44";

/** What the envelope of an instance must be bound to: its event id is computed of the id and the name (UUID version 8). */
export async function instanceBinding(environment, project, id, name) {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) || !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) refuse("binding", "invalid");
  const known = (INSTANCE_SPACE + id.replaceAll("-", "")).match(/../g).map((digits) => parseInt(digits, 16));
  const hash = await crypto.subtle.digest("SHA-256", new Uint8Array([...known, ...new TextEncoder().encode(name)]));
  const bytes = new Uint8Array(hash, 0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const event_id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  return { environment, data_class: "tenant", project, event_id, ...INSTANCE };
}

// A tenant's record.

/** All that can be known of an envelope without a key. */
export async function check(envelope, expected, chain) {
  const signed = readSigned("envelope", envelope);
  const sealed = await readSealed("envelope", signed.document);
  const { bound } = sealed;
  if (bound.version !== VERSION) refuse("envelope", "version");
  if (!has(bound, [...COMPARED, "version", "epoch", "key", "author"])) refuse("envelope", "malformed");
  if (!Number.isInteger(bound.epoch) || bound.epoch < 1 || bound.epoch > chain.epochs.length) refuse("envelope", "epoch_unknown");
  const epoch = chain.epochs[bound.epoch - 1];
  if (bound.key !== epoch.key.kid) refuse("envelope", "epoch_key");
  if (bound.author !== signed.signer || !epoch.members.has(signed.signer)) refuse("envelope", "author");
  await verify(signed, epoch.members.get(signed.signer).sign.key);
  if (expected.author && expected.author !== signed.signer) refuse("envelope", "author");
  for (const name of COMPARED) if (bound[name] !== expected.binding[name]) refuse("envelope", name);
  if (epoch.number < (expected.oldest_epoch ?? chain.current.number)) refuse("envelope", "epoch_stale");
  if (!sealed.readers.includes(epoch.key.kid) || sealed.readers.length > MOST_READERS) refuse("envelope", "recipient");
  return sealed;
}

/** The plaintext of what is expected. */
export async function open(envelope, expected, chain, agree) {
  const sealed = await check(envelope, expected, chain);
  return openWith(sealed, await unlock(chain, agree));
}

/** `plaintext` for the members of `epoch`, and for `others` besides, public keys as JWK. */
export async function seal(plaintext, binding, author, epoch, others = []) {
  if (plaintext.length > LONGEST_PLAINTEXT) refuse("envelope", "oversize");
  const bound = { version: VERSION, ...binding, epoch: epoch.number, key: epoch.key.kid, author: author.kid };
  const readers = [epoch.key];
  for (const jwk of others) readers.push(await readPublic(jwk, "envelope", KEY_MANAGEMENT));
  return sign("envelope", await sealFor(readers, plaintext, bound), author);
}
