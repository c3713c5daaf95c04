// The switch for notifications of this browser.  Permission is asked only after a press of the
// button, beside which the reasons are written.

const box = document.querySelector("[data-push]");
if (box) start();

async function start() {
  const button = box.querySelector("[data-push-on]");
  const status = box.querySelector("[data-push-status]");
  const say = (word) => {
    status.textContent = box.dataset[word];
    status.hidden = false;
  };
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    // Safari on a telephone has them only on the home screen.
    say(/iPhone|iPad/.test(navigator.userAgent) ? "install" : "unsupported");
    return;
  }
  if (Notification.permission === "denied") {
    say("denied");
    return;
  }
  const registration = await navigator.serviceWorker.register("/sw.js");
  const known = await registration.pushManager.getSubscription();
  const row = known && document.querySelector(`[data-push-row="${await digest(known.endpoint)}"]`);
  if (row) {
    say("on");
    // Also at the browser: what no server sends to need not be kept open.
    row.addEventListener("submit", () => known.unsubscribe());
    return;
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    say("asking");
    try {
      if ((await Notification.requestPermission()) !== "granted") {
        say("denied");
        return;
      }
      await navigator.serviceWorker.ready;
      await send(await subscribe(registration));
      window.location.assign(box.dataset.done);
    } catch {
      say("failed");
      button.disabled = false;
    }
  });
}

async function subscribe(registration) {
  const options = { userVisibleOnly: true, applicationServerKey: box.dataset.key };
  const wanted = base64(box.dataset.key);
  const old = await registration.pushManager.getSubscription();
  // Of another server key: nobody could send to it.
  if (old && base64(old.options.applicationServerKey) !== wanted) await old.unsubscribe();
  return registration.pushManager.subscribe(options);
}

async function send(subscription) {
  const answer = await fetch(box.dataset.action, {
    method: "POST",
    credentials: "same-origin",
    redirect: "manual", // the page that follows is asked for by itself
    headers: { "X-CSRF-Token": box.dataset.csrf },
    body: new URLSearchParams({ channel: "web_push", address: JSON.stringify(subscription) }),
  });
  if (answer.type !== "opaqueredirect" && !answer.ok) throw new Error(String(answer.status));
}

function base64(value) {
  if (typeof value === "string") return value.replace(/=+$/, "");
  let text = "";
  for (const byte of new Uint8Array(value)) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

// The page knows which browsers are subscribed by digests: endpoints are secrets.
async function digest(text) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, 32);
}
