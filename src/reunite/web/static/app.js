// Makes the pages quicker to use; every one of them works without this file.
// Words come from data- attributes, so that there is one catalogue of translations.

import { enhanceUploads } from "./upload.js";
import { enhancePlaces } from "./place.js";

function enhance(root) {
  enhanceUploads(root);
  enhancePlaces(root);

  for (const button of root.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  for (const button of root.querySelectorAll("[data-share]")) {
    if (!navigator.share && !navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", () => share(button));
  }

  for (const link of root.querySelectorAll("[data-reload]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      window.location.reload();
    });
  }

  const focused = root.querySelector("[data-focus]");
  if (focused) focused.focus();
}

async function share(button) {
  const { shareTitle: title, shareUrl: url, copied } = button.dataset;
  try {
    if (navigator.share) {
      await navigator.share({ title, url });
    } else {
      await navigator.clipboard.writeText(url);
      toast(copied);
    }
  } catch {
    // The reader closed the sheet; nothing to say.
  }
}

export function toast(text, href) {
  const box = document.createElement("div");
  box.className = "toast";
  const inner = href ? document.createElement("a") : document.createElement("span");
  if (href) inner.href = href;
  inner.textContent = text;
  box.append(inner);
  document.querySelector("#toasts").append(box);
  setTimeout(() => box.remove(), href ? 15000 : 5000);
}

// A second press on a slow line must not report somebody twice.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  const button = event.submitter ?? event.target.querySelector("button:not([type=button])");
  if (!button) return;
  if (button.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    return;
  }
  button.setAttribute("aria-busy", "true");
});

// Coming back with the browser's own button shows the page as it was left.
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// Alerts while no page is open, and a page that says so when there is no connection.
if ("serviceWorker" in navigator) {
  window.addEventListener("load", () => navigator.serviceWorker.register("/sw.js").catch(() => {}));
}

enhance(document);
