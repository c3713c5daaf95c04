// Tells the server when this device has come to another cell: only after its owner said so, only
// while a page is open, and not before the old cell has been left.

const KEY = "reunite-follow"; // the cell's outline and when it was told; absent without consent
const RENEW_MS = 12 * 3_600_000; // before the place expires
const POLL_MS = 60_000;

const box = document.querySelector("[data-follow]");
const place = document.querySelector("[data-position]")?.dataset.position;

function isInside([y, x], outline) {
  let odd = false;
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
    const [[y0, x0], [y1, x1]] = [outline[i], outline[j]];
    if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) odd = !odd;
  }
  return odd;
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

function remember(outline, at) {
  localStorage.setItem(KEY, JSON.stringify({ outline, at }));
}

let sending = false;

async function look({ coords }) {
  const told = remembered();
  if (sending || !told) return;
  const isQuiet = Date.now() - told.at < RENEW_MS;
  if (isQuiet && isInside([coords.latitude, coords.longitude], told.outline)) return;
  sending = true;
  try {
    const body = new URLSearchParams({
      latitude: coords.latitude.toFixed(5),
      longitude: coords.longitude.toFixed(5),
    });
    const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
    const answer = await fetch(place, { method: "POST", body, headers });
    if (answer.ok) remember((await answer.json()).cell, Date.now());
    // Stopped on another page or device, or somebody else has signed in.
    else if (answer.status === 404) localStorage.removeItem(KEY);
  } catch {
    // The network is away; the next look tries again.
  } finally {
    sending = false;
  }
}

function follow() {
  if (document.hidden || !remembered()) return;
  navigator.geolocation.getCurrentPosition(look, () => {}, { maximumAge: POLL_MS });
}

function offer(button) {
  const form = button.closest("form");
  button.addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        form.elements.latitude.value = coords.latitude.toFixed(5);
        form.elements.longitude.value = coords.longitude.toFixed(5);
        form.requestSubmit();
      },
      () => { form.querySelector("[data-follow-status]").textContent = box.dataset.failed; },
      { enableHighAccuracy: true, timeout: 15000 },
    );
  });
}

if (navigator.geolocation && place) {
  if (box) {
    box.hidden = false;
    const button = box.querySelector("[data-follow-start]");
    if (button) {
      localStorage.removeItem(KEY);
      offer(button);
    } else if (!remembered()) {
      remember([], 0);
    }
  }
  follow();
  setInterval(follow, POLL_MS);
  document.addEventListener("visibilitychange", follow);
}
