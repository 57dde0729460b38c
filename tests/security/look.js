// What a page must not hold, whoever brought it in: handlers, inline scripts, foreign frames and pictures, addresses that are no web addresses.
() => {
  const bad = [];
  const isWeb = (url) => ["http:", "https:"].includes(url.protocol);
  for (const element of document.querySelectorAll("*")) {
    const tag = element.localName;
    if (["xss", "math", "object", "embed", "base", "marquee"].includes(tag)) bad.push(`<${tag}>`);
    if (tag === "script" && (!element.src || new URL(element.src).origin !== location.origin)) bad.push(`<script> ${element.src || element.textContent.slice(0, 60)}`);
    if (tag === "iframe" && (element.hasAttribute("srcdoc") || element.getAttribute("sandbox") !== "allow-scripts")) bad.push("<iframe> without a sandbox");
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on")) bad.push(`<${tag} ${name}>`);
      if (/^(x-|:|@|hx-)/.test(name) && value.includes("xss(")) bad.push(`<${tag} ${name}=${value}>`);
      if (/^(href|src|action|formaction|xlink:href|ping|data|poster|hx-get|hx-post)$/.test(name)) {
        const url = new URL(value, location.href);
        const ownIcon = tag === "link" && value.startsWith("data:image/svg+xml,");
        if ((!isWeb(url) && !ownIcon) || (tag === "img" && url.origin !== location.origin)) bad.push(`<${tag} ${name}=${value}>`);
      }
    }
  }
  if (window.ran) bad.push("an attack ran");
  const links = [...document.querySelectorAll("a[href], [hx-get]")].map((link) => link.getAttribute("href") || link.getAttribute("hx-get"));
  return { bad, links: links.map((link) => new URL(link, location.href).href), text: document.documentElement.textContent };
};
