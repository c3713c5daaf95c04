// Tells an open page at once of a new notice.  Without it the inbox is as true, only later.
// The words come from the server, in the language of the page.

const FIRST_RETRY_MS = 3_000;
const LAST_RETRY_MS = 300_000;
const TOAST_MS = 30_000;

const link = document.querySelector("[data-inbox][data-stream]");
const badge = link?.querySelector("[data-unread]");
const title = document.title;

let source = null;
let seen = ""; // id of the last event: nothing is missed while the page was hidden
let retryMs = FIRST_RETRY_MS;
let waiting;

function connect() {
  clearTimeout(waiting);
  // A browser allows six connections to one host: pages that nobody looks at give theirs back.
  if (source || document.hidden) return;
  source = new EventSource(link.dataset.stream + (seen ? `&after=${seen}` : ""));
  source.addEventListener("open", () => { retryMs = FIRST_RETRY_MS; });
  source.addEventListener("unread", (event) => {
    remember(event);
    show(JSON.parse(event.data).unread);
  });
  source.addEventListener("notice", (event) => {
    remember(event);
    const { unread, notices } = JSON.parse(event.data);
    show(unread);
    for (const notice of notices) toast(notice);
  });
  source.addEventListener("error", () => {
    // A browser comes back by itself after a cut, but not after a refusal.
    if (source?.readyState === EventSource.CLOSED) comeBackLater();
  });
}

function disconnect() {
  clearTimeout(waiting);
  source?.close();
  source = null;
}

async function comeBackLater() {
  disconnect();
  try {
    const answer = await fetch(link.dataset.stream, { method: "HEAD" });
    // Signed out: there is nothing to come back for until the next page.
    if (answer.redirected || answer.status === 401 || answer.status === 403) return;
  } catch {
    // The network is away; so try again.
  }
  waiting = setTimeout(connect, retryMs * (0.5 + Math.random()));
  retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
}

function remember(event) {
  if (event.lastEventId) seen = event.lastEventId;
}

function show(unread) {
  if (!badge) return;
  badge.hidden = unread === 0;
  badge.querySelector("[data-unread-number]").textContent = unread;
  document.title = unread ? `(${unread}) ${title}` : title;
}

function toast({ title: headline, text, path, topic }) {
  const region = document.querySelector("#toasts");
  // News of a search takes the place of what was said of it before.
  if (topic) region.querySelector(`[data-topic="${CSS.escape(topic)}"]`)?.remove();
  const box = document.createElement("div");
  if (topic) box.dataset.topic = topic;
  box.className = "toast toast-notice";
  const anchor = document.createElement("a");
  anchor.href = path;
  anchor.textContent = headline;
  const more = document.createElement("p");
  more.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast-close";
  close.setAttribute("aria-label", link.dataset.close);
  close.textContent = "×";
  close.addEventListener("click", () => box.remove());
  box.append(anchor, more, close);
  region.append(box);
  setTimeout(() => box.remove(), TOAST_MS);
}

if (link && "EventSource" in window) {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) disconnect();
    else connect();
  });
  // A page kept for the back button must not keep its connection.
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", connect);
  connect();
}
