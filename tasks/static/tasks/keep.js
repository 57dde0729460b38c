// hx-swap="keep" (with hx-ext="keep"): an answer changes only what differs from what is shown. Focus, selection, scroll positions and open folds
// stay where they are, and a live region speaks only when its own text is another one. Elements with an id are recognised by it.
(function () {
  "use strict";

  const alike = (old, fresh) => old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && (old.id || "") === (fresh.id || "");

  function attributes(old, fresh) {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  }

  function merge(old, fresh, added) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    attributes(old, fresh);
    children(old, fresh, added);
  }

  function children(old, fresh, added) {
    const wanted = new Set([...fresh.children].map((node) => node.id).filter(Boolean));
    for (const node of [...old.children]) {
      if (node.id && !wanted.has(node.id)) node.remove();
    }
    const named = new Map([...old.children].filter((node) => node.id).map((node) => [node.id, node]));
    let at = old.firstChild;
    for (const node of [...fresh.childNodes]) {
      let match = node.id ? named.get(node.id) : at;
      if (match && alike(match, node)) {
        if (match === at) at = at.nextSibling;
        else old.insertBefore(match, at);
        merge(match, node, added);
      } else {
        old.insertBefore(node, at);
        if (node.nodeType === Node.ELEMENT_NODE) added.push(node);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  htmx.defineExtension("keep", {
    isInlineSwap: (style) => style === "keep",
    handleSwap(style, target, fragment) {
      if (style !== "keep") return false;
      const focused = document.activeElement;
      const added = [];
      const whole = fragment.childElementCount === 1 && target.id && fragment.firstElementChild.id === target.id;
      if (whole) merge(target, fragment.firstElementChild, added);
      else children(target, fragment, added);
      if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
      return added;
    },
  });
})();
