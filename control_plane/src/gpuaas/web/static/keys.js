// What this browser keeps: a device's keys, which cannot be read out, and which epoch of a project it has seen (IndexedDB).
// Both are of one environment and one user: somebody else who logs in here is another device.

const STORES = ["devices", "pins"];

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("gpuaas", 1);
    request.addEventListener("upgradeneeded", () => STORES.forEach((name) => request.result.createObjectStore(name)));
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

async function done(store, mode, ask) {
  const database = await opened();
  try {
    const transaction = database.transaction(store, mode);
    const request = ask(transaction.objectStore(store));
    return await new Promise((resolve, reject) => {
      transaction.addEventListener("complete", () => resolve(request.result));
      for (const fault of ["error", "abort"]) transaction.addEventListener(fault, () => reject(transaction.error));
    });
  } finally {
    database.close();
  }
}

/** The keys of one user in one environment, and the pins of its projects. */
export class Keys {
  constructor(environment, user) {
    this.owner = `${environment}/${user}`;
  }

  async device() {
    return (await done("devices", "readonly", (store) => store.get(this.owner))) ?? null;
  }

  async keep(device) {
    // `add` refuses to replace a key, which could not be had back.
    await done("devices", "readwrite", (store) => store.add(device, this.owner));
    // A browser that is short of space should rather take something else.
    await navigator.storage?.persist?.();
  }

  async pin(project) {
    return (await done("pins", "readonly", (store) => store.get(`${this.owner}/${project}`))) ?? null;
  }

  async trust(project, pin) {
    await done("pins", "readwrite", (store) => store.put(pin, `${this.owner}/${project}`));
  }
}
