// Small helps for the admin: copy buttons, a question before costly buttons, a reload when a poll meets the login page, and the two below.
(function () {
  "use strict";

  // The clipboard API exists only on https and localhost; elsewhere the old command does it.
  async function copy(text) {
    if (navigator.clipboard && window.isSecureContext) {
      return navigator.clipboard.writeText(text);
    }
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    const source = button && document.getElementById(button.dataset.copy);
    if (!source) return;
    await copy(source.textContent);
    const word = button.textContent;
    button.textContent = "copied";
    setTimeout(() => (button.textContent = word), 1500);
  });

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // A form's answer and a poll may both bring the same new line; the page takes it once.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const list = event.detail.target;
    if (!["talk", "runs"].includes(list.id)) return;
    for (const line of [...event.detail.fragment.children]) {
      if (document.getElementById(line.id)) line.remove();
    }
  });

  // The skin shows the page only when Alpine is ready, too late for the browser to go to the line that the address names.
  document.addEventListener("alpine:initialized", () => {
    const line = window.location.hash.startsWith("#file-") && document.getElementById(window.location.hash.slice(1));
    if (line) setTimeout(() => line.scrollIntoView({ block: "center" }), 50);
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.responseURL.includes("/login/")) {
      event.detail.shouldSwap = false;
      window.location.reload();
    }
  });
})();
