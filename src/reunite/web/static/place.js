// Names of towns while typing, and the browser's own position at a press.

const PAUSE_MS = 200;

export function enhancePlaces(root) {
  for (const box of root.querySelectorAll("[data-place]")) {
    completeTowns(box.querySelector("[data-towns]"));
    locate(box);
  }
}

function completeTowns(input) {
  if (!input) return;
  let waiting;
  let latest = 0;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    const text = input.value.trim();
    if (!text) return;
    waiting = setTimeout(async () => {
      const mine = ++latest;
      const response = await fetch(`${input.dataset.towns}?q=${encodeURIComponent(text)}`);
      if (!response.ok || mine !== latest) return;
      const options = (await response.json()).map((name) => new Option(name, name));
      input.list.replaceChildren(...options);
    }, PAUSE_MS);
  });
}

function locate(box) {
  const button = box.querySelector("[data-locate]");
  if (!button || !navigator.geolocation) return;
  const status = box.querySelector("[data-locate-status]");
  button.hidden = false;
  button.addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        box.querySelector("[name=latitude]").value = coords.latitude.toFixed(5);
        box.querySelector("[name=longitude]").value = coords.longitude.toFixed(5);
        box.querySelector("[name=datum]").value = "wgs84";
        status.textContent = button.dataset.done;
      },
      () => { status.textContent = button.dataset.failed; },
      { enableHighAccuracy: true, timeout: 15000 },
    );
  });
}
