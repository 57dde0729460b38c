(() => {
  "use strict";
  const plan = {{ plan|safe }};
  const parameters = new URLSearchParams(location.search);
  const loaded = new Map();

  const find = (id) => document.getElementById(id);
  const say = (message) => {
    document.querySelector("[data-status]").textContent = message;
  };

  // The text of a file beside this page. TextDecoder drops a byte order mark.
  const load = (address) => {
    if (!loaded.has(address)) {
      loaded.set(address, fetch(address).then(async (response) => {
        if (!response.ok) throw new Error(`${address} answered ${response.status}`);
        return new TextDecoder().decode(await response.arrayBuffer());
      }));
    }
    return loaded.get(address);
  };

  // Cells of a CSV text: quotes, doubled quotes, line ends of any kind; empty lines are left out.
  const parse = (text, delimiter) => {
    const rows = [];
    let row = [], cell = "", quoted = false;
    const endCell = () => { row.push(cell); cell = ""; };
    const endRow = () => { endCell(); if (row.some((value) => value.trim() !== "")) rows.push(row); row = []; };
    for (let i = 0; i < text.length; i++) {
      const sign = text[i];
      if (quoted) {
        if (sign !== '"') cell += sign;
        else if (text[i + 1] === '"') { cell += '"'; i++; }
        else quoted = false;
      } else if (sign === '"' && cell.trim() === "") { quoted = true; cell = ""; }
      else if (sign === delimiter) endCell();
      else if (sign === "\n" || sign === "\r") { if (sign === "\r" && text[i + 1] === "\n") i++; endRow(); }
      else cell += sign;
    }
    endRow();
    return rows;
  };

  const number = (cell) => {
    const text = (cell || "").replace(/[\s$€£¥₹%]/g, "");
    const plain = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(text) ? text.replace(/,/g, "") : text;
    return plain === "" || Number.isNaN(Number(plain)) ? 0 : Number(plain);
  };
  // Plain digits, at most two decimals: 3029.75, 600, -0.5.
  const plain = (value) => String(Number((Math.round((value + Number.EPSILON) * 100) / 100).toFixed(2)));
  const isTotal = (row) => /^\s*(grand\s+|sub)?total\s*$/i.test(row[0] || "");

  const cellOf = (tag, text) => {
    const cell = document.createElement(tag);
    cell.textContent = text;
    return cell;
  };
  const rowOf = (tag, cells) => {
    const row = document.createElement("tr");
    row.append(...cells.map((text) => cellOf(tag, text)));
    return row;
  };
  const fillTable = (table, header, rows) => {
    (table.tHead || table.createTHead()).replaceChildren(rowOf("th", header));
    (table.tBodies[0] || table.createTBody()).replaceChildren(...rows.map((row) => rowOf("td", row)));
  };

  const showTable = async (source) => {
    const [header, ...all] = parse(await load(source.path), source.delimiter);
    const rows = all.filter((row) => !isTotal(row));
    const rates = plan.rates ? JSON.parse(await load(plan.rates.path)) : null;
    const picker = plan.rates && plan.rates.picker ? find(plan.rates.picker) : null;
    const update = () => {
      const kept = rows.filter((row) => plan.filters.every(({ id, column }) => !find(id).value || (row[column] || "").trim() === find(id).value));
      const currency = picker ? picker.value : "";
      const rate = rates ? Number((rates.rates || rates)[currency]) || 1 : 1;
      for (const { id, column } of plan.totals) {
        find(id).textContent = plain(kept.reduce((sum, row) => sum + number(row[column]), 0) * rate);
        for (const filter of plan.filters) find(id).setAttribute(`data-${filter.name}`, find(filter.id).value || "all");
      }
      for (const { id, group, column } of plan.tables) {
        if (group === null || column === null) { fillTable(find(id), header, kept); continue; }
        const sums = new Map();
        for (const row of kept) sums.set((row[group] || "").trim(), (sums.get((row[group] || "").trim()) || 0) + number(row[column]));
        fillTable(find(id), [header[group], header[column]], [...sums].map(([name, sum]) => [name, plain(sum)]));
      }
      if (plan.rates) for (const id of plan.rates.show) find(id).textContent = currency;
    };
    for (const { id, column } of plan.filters) {
      const values = [...new Set(rows.map((row) => (row[column] || "").trim()))].filter(Boolean).sort();
      find(id).replaceChildren(new Option("All", ""), ...values.map((value) => new Option(value, value)));
      find(id).addEventListener("change", update);
    }
    if (picker) picker.addEventListener("change", update);
    update();
  };

  const showText = async (target) => {
    const asked = plan.addressParameter ? parameters.get("url") : null;
    const address = asked && /^https?:\/\//i.test(asked) ? asked : target.path;
    let text = await load(address);
    if (/\.json$/i.test(address)) try { text = JSON.stringify(JSON.parse(text), null, 2); } catch { /* shown as it is */ }
    for (const id of target.rendered) {
      if (window.marked && /\.md$/i.test(target.path)) find(id).innerHTML = window.marked.parse(text);
      else find(id).textContent = text;
      if (window.hljs) find(id).querySelectorAll("pre code").forEach((block) => window.hljs.highlightElement(block));
    }
    for (const id of target.source) find(id).textContent = text;
    for (const id of target.labels) find(id).textContent = address;
    const words = (text.match(/\S+/g) || []).length;
    for (const id of target.counts) find(id).textContent = `${new Intl.NumberFormat("en-US").format(words)} words`;
  };

  const showPreview = async (place) => {
    const text = await load(place.dataset.path);
    if (place.tagName !== "TABLE") { place.textContent = text.slice(0, 20000); return; }
    const [header, ...rows] = parse(text, place.dataset.delimiter);
    fillTable(place, header, rows.slice(0, 100));
  };

  const useTabs = ({ id, panels }) => {
    const buttons = [...find(id).querySelectorAll("button")];
    const choose = (chosen) => buttons.forEach((button, index) => {
      button.setAttribute("aria-pressed", String(index === chosen));
      if (panels[index]) find(panels[index]).hidden = index !== chosen;
    });
    buttons.forEach((button, index) => button.addEventListener("click", () => choose(index)));
    choose(0);
  };

  document.addEventListener("DOMContentLoaded", async () => {
    document.querySelectorAll("form").forEach((form) => form.addEventListener("submit", (event) => {
      event.preventDefault();
      say("This form needs a program that a model would have written; nothing was sent.");
    }));
    plan.tabs.forEach(useTabs);
    const work = [...document.querySelectorAll("[data-path]")].map(showPreview);
    if (plan.table) work.push(showTable(plan.table));
    if (plan.text) work.push(showText(plan.text));
    const failed = (await Promise.allSettled(work)).filter((result) => result.status === "rejected");
    say(failed.length ? `Could not be loaded: ${[...new Set(failed.map((result) => result.reason.message))].join("; ")}` : "");
  });
})();
