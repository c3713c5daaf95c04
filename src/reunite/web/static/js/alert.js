// Keeps the figures of an alert, or of a request for blood, up to date.  Without it they are
// those of the last load.

const box = document.querySelector("[data-live][data-stream]");

if (box && "EventSource" in window) {
  const source = new EventSource(box.dataset.stream);
  // Rendered by the server, in the language of the page, from numbers and our own words.
  source.addEventListener("progress", (event) => { box.innerHTML = event.data; });
  window.addEventListener("pagehide", () => source.close());
}
