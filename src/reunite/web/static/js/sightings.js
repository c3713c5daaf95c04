// Sends sightings, and keeps what cannot be sent yet on this device.  Without it the form is
// sent by the browser as any other.

const queue = self.reuniteSightings;
const words = document.querySelector("[data-sightings]")?.dataset;

const headers = () => JSON.parse(document.body.getAttribute("hx-headers:inherited") ?? "{}");

function say(text, href) {
  const box = document.createElement("div");
  box.className = "toast";
  const inner = document.createElement(href ? "a" : "span");
  if (href) inner.href = href;
  inner.textContent = text;
  box.append(inner);
  document.querySelector("#toasts").append(box);
  setTimeout(() => box.remove(), 15_000);
}

async function sendWaiting() {
  if (!(await queue.list()).length) return;
  try {
    for (const { state, url } of await queue.flush(headers())) {
      if (state === "sent") say(words.sent, url);
      if (state === "refused") say(words.refused, url);
    }
  } catch {
    // Still no network.
  }
}

async function submit(event) {
  const form = event.target;
  if (event.defaultPrevented) return;
  event.preventDefault();
  const status = form.querySelector("[data-sighting-status]");
  const button = form.querySelector("button:not([type=button])");
  button.setAttribute("aria-busy", "true");
  status.textContent = form.dataset.sending;
  const fields = [...new FormData(form)].filter(([, value]) => !(value instanceof File) || value.size);
  try {
    await queue.keep(form.elements.client_key.value, form.action, fields);
  } catch {
    // No room on the device, or a private window: as without this file.
    form.submit();
    return;
  }
  try {
    const own = (await queue.flush(headers())).find(({ url }) => url === form.action || url.endsWith("/thanks"));
    if (own?.state === "sent") {
      location.assign(own.url);
      return;
    }
    // The server says what is wrong: show its page.
    if (own?.state === "refused") {
      form.submit();
      return;
    }
    status.textContent = form.dataset.waiting;
  } catch {
    await queue.wakeWorkerLater().catch(() => {});
    status.textContent = form.dataset.kept;
  }
  form.classList.add("is-kept");
  status.focus();
}

// The position is filled in by itself only where the reader has allowed it before.
async function fillIn(form) {
  const allowed = await navigator.permissions?.query({ name: "geolocation" });
  const { latitude, town } = form.elements;
  if (allowed?.state === "granted" && !latitude.value && !town.value) {
    form.querySelector("[data-locate]").click();
  }
}

if (queue && words && "indexedDB" in self) {
  for (const form of document.querySelectorAll("form[data-sighting]")) {
    form.addEventListener("submit", submit);
    fillIn(form).catch(() => {});
  }
  addEventListener("online", sendWaiting);
  sendWaiting();
}
