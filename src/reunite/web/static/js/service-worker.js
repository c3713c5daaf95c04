// Works while no page is open: shows alerts, and says something useful without a connection.
// /sw.js loads this file after it has put the addresses of the shell into self.REUNITE.

const SHELL = `shell-${self.REUNITE.version}`;
const STATIC = "static";
// Past the HTTP cache, which may hold an older release; as nobody, for everybody may see it.
const SHELL_REQUEST = { cache: "reload", credentials: "omit" };
const OFFLINE = self.REUNITE.offline; // by language

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELL)
      .then((cache) => cache.addAll(self.REUNITE.shell.map((url) => new Request(url, SHELL_REQUEST))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith("shell-") && name !== SHELL))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => offline(url)));
  } else if (url.pathname.startsWith("/static/") && url.searchParams.has("v")) {
    event.respondWith(kept(request));
  }
});

// Pages are somebody's own and are not kept; what they look like is.
async function offline(url) {
  const language = url.pathname.split("/", 2)[1];
  const page = await caches.match(OFFLINE[language] || Object.values(OFFLINE)[0]);
  return page || Response.error();
}

async function kept(request) {
  const found = await caches.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) {
    const cache = await caches.open(STATIC);
    await cache.put(request, answer.clone());
    await forgetOthers(cache, request);
  }
  return answer;
}

// One release of a file is enough.
async function forgetOthers(cache, request) {
  const { pathname } = new URL(request.url);
  for (const other of await cache.keys()) {
    if (new URL(other.url).pathname === pathname && other.url !== request.url) await cache.delete(other);
  }
}

// An alert.  Messages of one topic replace one another; the same message twice is shown once.

self.addEventListener("push", (event) => {
  event.waitUntil(show(event.data));
});

async function show(data) {
  let said;
  try {
    said = data.json();
  } catch {
    said = { title: self.REUNITE.name, body: "", topic: "unreadable", id: "", url: "/" };
  }
  const shown = await self.registration.getNotifications({ tag: said.topic });
  const again = shown.some((one) => one.data && one.data.id === said.id);
  await self.registration.showNotification(said.title, {
    body: said.body,
    tag: said.topic,
    // A replacement makes itself heard, a repetition does not.
    renotify: !again,
    silent: again,
    lang: said.language,
    icon: self.REUNITE.icon,
    badge: self.REUNITE.badge,
    data: { id: said.id, url: said.url, kind: said.kind },
  });
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data));
});

async function open(data) {
  let target = new URL("/", self.location.origin);
  try {
    const said = new URL(data.url, self.location.origin);
    // Never elsewhere, whatever the message says.
    if (said.origin === self.location.origin) target = said;
  } catch {
    // The home page then.
  }
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const page of pages) {
    if (page.url === target.href) return page.focus();
  }
  return self.clients.openWindow(target.href);
}

// The browser has changed the subscription by itself: tell the server, or alerts end unnoticed.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(renew(event.newSubscription));
});

async function renew(subscription) {
  const answer = await fetch(self.REUNITE.push, { credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return; // signed out: whoever signs in next is asked again
  const { key, csrf, action } = await answer.json();
  const renewed =
    subscription ||
    (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  await fetch(action, {
    method: "POST",
    credentials: "same-origin",
    headers: { "X-CSRF-Token": csrf },
    body: new URLSearchParams({ channel: "web_push", address: JSON.stringify(renewed) }),
  });
}
