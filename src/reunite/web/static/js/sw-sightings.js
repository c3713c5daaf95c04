// Sightings that wait on this device until they have been sent.  Loaded by pages and by the
// service worker alike: what a closed page left behind, the worker sends when the network is back.
// Each carries a key of its own, so that the server takes it once however often it is sent.

"use strict";

(() => {
  const NAME = "reunite-sightings";
  const STORE = "waiting";
  const TAG = "reunite-sightings";

  function open() {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  async function use(mode, action) {
    const database = await open();
    try {
      return await new Promise((resolve, reject) => {
        const transaction = database.transaction(STORE, mode);
        const request = action(transaction.objectStore(STORE));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onabort = () => reject(transaction.error);
      });
    } finally {
      database.close();
    }
  }

  const list = () => use("readonly", (store) => store.getAll());
  const remove = (key) => use("readwrite", (store) => store.delete(key));

  // fields: [name, value] pairs of the form; files are values too.
  function keep(key, url, fields) {
    return use("readwrite", (store) => store.put({ key, url, fields, keptAt: Date.now() }));
  }

  function bodyOf(entry) {
    const body = new FormData();
    for (const [name, value] of entry.fields) {
      if (value instanceof Blob) body.append(name, value, value.name || "photo.jpg");
      else body.append(name, value);
    }
    return body;
  }

  // "sent", "refused" (it never will be), or "waiting" (signed out, too many, something broken).
  // Throws while there is no network.
  async function send(entry, headers) {
    const answer = await fetch(entry.url, { method: "POST", body: bodyOf(entry), headers });
    if (answer.ok && answer.redirected && answer.url.endsWith("/thanks")) {
      await remove(entry.key);
      return { state: "sent", url: answer.url };
    }
    if ([400, 404, 409, 410, 413, 422].includes(answer.status)) {
      await remove(entry.key);
      return { state: "refused", url: entry.url };
    }
    return { state: "waiting", url: entry.url };
  }

  async function sendAll(headers) {
    const results = [];
    for (const entry of await list()) results.push(await send(entry, headers));
    return results;
  }

  // Page and worker do not send the same photo at the same time.
  function flush(headers = {}) {
    if (!self.navigator.locks) return sendAll(headers);
    return self.navigator.locks.request(NAME, () => sendAll(headers));
  }

  // Asks the browser to wake the worker once the network is back.  Not all of them can.
  async function wakeWorkerLater() {
    const registration = await self.navigator.serviceWorker?.getRegistration();
    await registration?.sync?.register(TAG);
  }

  self.reuniteSightings = { keep, list, flush, wakeWorkerLater };

  if (typeof ServiceWorkerGlobalScope !== "undefined" && self instanceof ServiceWorkerGlobalScope) {
    self.addEventListener("sync", (event) => {
      if (event.tag !== TAG) return;
      event.waitUntil(
        flush().then((results) => {
          // The browser tries again later when this fails.
          if (results.some(({ state }) => state === "waiting")) throw new Error("still waiting");
        }),
      );
    });
  }
})();
