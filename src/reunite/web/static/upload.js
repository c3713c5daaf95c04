// A preview of the chosen photo, and a refusal before megabytes are sent in vain.

export function enhanceUploads(root) {
  for (const box of root.querySelectorAll("[data-upload]")) {
    const input = box.querySelector("input[type=file]");
    const preview = box.querySelector("[data-preview]");
    const error = box.querySelector("[data-upload-error]");
    const icon = box.querySelector(".upload-icon");
    preview.addEventListener("error", () => show(preview, icon, null));
    input.addEventListener("change", () => {
      const file = input.files[0];
      const tooLarge = file && file.size > Number(box.dataset.maxBytes);
      input.setCustomValidity(tooLarge ? box.dataset.tooLarge : "");
      error.textContent = tooLarge ? box.dataset.tooLarge : "";
      error.hidden = !tooLarge;
      show(preview, icon, tooLarge ? null : file);
    });
  }
}

function show(preview, icon, file) {
  if (preview.src) URL.revokeObjectURL(preview.src);
  preview.hidden = !file;
  icon.toggleAttribute("hidden", Boolean(file));
  if (file) preview.src = URL.createObjectURL(file);
  else preview.removeAttribute("src");
}
