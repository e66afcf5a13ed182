// dom.js - builds elements. Every text goes through visible(), so that no text of an event can
// hide, reorder or imitate what is around it; no text is ever parsed as markup.

// Control characters, characters without width or with a direction of their own, lone surrogates.
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\ufff0-\uffff\u{e0000}-\u{e0fff}]|\p{Cs}/gu;

/** The text with what cannot be seen written as \uXXXX. */
export function visible(text) {
  return String(text).replace(HIDDEN, (c) => {
    const code = c.codePointAt(0);
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

function append(element, child) {
  if (child === null || child === undefined || child === false) return;
  if (Array.isArray(child)) child.forEach((each) => append(element, each));
  else element.append(child instanceof Node ? child : document.createTextNode(visible(child)));
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

/** An element: h("a", { href: "#/", onclick: f }, "text", child, ...). */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same of SVG. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

/** Replace the children, but keep the focus on the element with the same data-key. */
export function renew(element, ...children) {
  const key = element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const place = element.scrollLeft;
  element.replaceChildren();
  append(element, children);
  element.scrollLeft = place;
  if (key) element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

/** A table in a region that scrolls by itself. `columns`: [title, isNumber]. */
export function table(caption, columns, rows) {
  const head = columns.map(([title, isNumber]) => h("th", { scope: "col", class: isNumber ? "number" : null }, title));
  const body = rows.map((cells) =>
    h("tr", {}, cells.map((cell, i) =>
      i === 0 ? h("th", { scope: "row" }, cell) : h("td", { class: columns[i][1] ? "number" : null }, cell))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
}

/** A list of names and values; those without a value are left out. */
export function facts(pairs) {
  return h("dl", {}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** Say something, also to a screen reader. */
export function say(text) {
  document.getElementById("news").textContent = visible(text);
}

/** Ask. Resolves to whether the answer is yes. */
export function confirm(title, text, yes, isGrave) {
  return new Promise((resolve) => {
    const answer = (value) => () => dialog.close(value);
    const dialog = h("dialog", { "aria-labelledby": "ask-title", "aria-describedby": "ask-text" },
      h("h2", { id: "ask-title" }, title), h("p", { id: "ask-text" }, text),
      h("p", { class: "buttons" },
        h("button", { type: "button", autofocus: true, onclick: answer("") }, "Cancel"),
        h("button", { type: "button", class: isGrave ? "grave" : "main", onclick: answer("yes") }, yes)));
    const before = document.activeElement;
    dialog.addEventListener("close", () => {
      dialog.remove();
      before?.focus();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function number(value) {
  return Number(value).toLocaleString("en-US", { maximumFractionDigits: 1 });
}

export function plural(count, one, many = one + "s") {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** "3 min", "2 h". */
export function duration(ms) {
  const s = ms / 1000;
  if (s < 1) return s > 0 ? "under 1 s" : "0 s";
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

/** A time, and how long ago it was. */
export function when(text) {
  if (!text) return "–";
  return h("time", { datetime: text, title: text }, `${text.slice(0, 19).replace("T", " ")}Z`);
}
