// event.js - shows the body of an event, line by line, with the places that are at fault marked.
//
// The text is laid out anew, but each name, text and number is shown as it was sent.
import { h, number, visible } from "./dom.js";

const DEPTH_MAX = 200;
const AROUND = 6; // lines shown around a marked one
const HEAD = 120; // lines shown at the beginning
const STEP = 500; // lines more for each request
const DEEPEST = 32; // levels that indent a line of a text, which would else grow with their square
const WIDTH = 2000; // characters of one line

const escapePointer = (key) => key.replaceAll("~", "~0").replaceAll("/", "~1");

// Reads JSON and writes lines: { text, pointer, depth }. Throws when it is not JSON.
class Layout {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.lines = [];
    this.token = /\s*("[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s{}[\]:,"]+)/suy;
  }

  next() {
    this.token.lastIndex = this.at;
    const found = this.token.exec(this.text);
    if (!found) throw new SyntaxError("not JSON");
    this.at = this.token.lastIndex;
    return found[1];
  }

  peek() {
    const at = this.at;
    const token = this.next();
    this.at = at;
    return token;
  }

  put(text, pointer, depth) {
    this.lines.push({ text, pointer, depth });
  }

  value(lead, pointer, depth) {
    const token = this.next();
    if (token === "{" || token === "[") this.inner(lead, token, pointer, depth);
    else if (token.length === 1 && "}]:,".includes(token)) throw new SyntaxError("not JSON");
    else this.put(lead + token, pointer, depth);
  }

  inner(lead, open, pointer, depth) {
    const close = open === "{" ? "}" : "]";
    if (depth > DEPTH_MAX) throw new SyntaxError("too deep");
    if (this.peek() === close) {
      this.next();
      this.put(lead + open + close, pointer, depth);
      return;
    }
    this.put(lead + open, pointer, depth);
    for (let index = 0; ; index++) {
      if (open === "{") this.member(pointer, depth + 1);
      else this.value("", `${pointer}/${index}`, depth + 1);
      const end = this.next();
      if (end === close) break;
      if (end !== ",") throw new SyntaxError("not JSON");
      this.lines.at(-1).text += ",";
    }
    this.put(close, null, depth);
  }

  member(pointer, depth) {
    const key = this.next();
    if (this.next() !== ":") throw new SyntaxError("not JSON");
    this.value(`${key}: `, `${pointer}/${escapePointer(JSON.parse(key))}`, depth);
  }
}

function layOut(text) {
  const layout = new Layout(text);
  layout.value("", "", 0);
  return layout.lines;
}

/** A text, one member or element in each line if it is JSON. */
export function linesOf(text) {
  try {
    return layOut(text).map((line) => "  ".repeat(Math.min(line.depth, DEEPEST)) + line.text);
  } catch {
    return text.split("\n");
  }
}

/** The body of an event as text; bytes that are no UTF-8 become U+FFFD. */
function bodyText(event) {
  if (event.body_base64 === undefined) return event.body;
  const bytes = Uint8Array.from(atob(event.body_base64), (c) => c.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

// The line of the byte that `details` names: "Invalid JSON at byte 12: ...".
function lineOfByte(lines, details) {
  const found = /at byte (\d+)/.exec(details ?? "");
  const encoder = new TextEncoder();
  let left = found ? Number(found[1]) : -1;
  for (let i = 0; found && i < lines.length; i++) {
    const length = encoder.encode(lines[i].text).length + 1;
    if (left < length) return i;
    left -= length;
  }
  return found ? lines.length - 1 : -1;
}

/** Which lines are marked, and with what: a Map from line index to texts. */
function marksOf(event, payload, lines) {
  const marks = new Map();
  const add = (line, text) => line >= 0 && marks.set(line, [...(marks.get(line) ?? []), text]);
  const places = new Map();
  lines.forEach((line, i) => line.pointer !== null && !places.has(line.pointer) && places.set(line.pointer, i));
  for (const unit of event.errors ?? []) {
    let pointer = payload + unit.instanceLocation;
    while (pointer && !places.has(pointer)) pointer = pointer.slice(0, pointer.lastIndexOf("/"));
    add(places.get(pointer) ?? -1, unit.error);
  }
  if (marks.size === 0 && event.outcome === "malformed") add(lineOfByte(lines, event.details), event.details);
  return marks;
}

function lineElement(line, index, texts) {
  const cut = line.text.length > WIDTH ? line.text.slice(0, WIDTH) : line.text;
  const rest = line.text.length - cut.length;
  return h("li", { value: index + 1, class: texts ? "fault" : null },
    h("code", {}, "  ".repeat(line.depth), texts ? h("mark", {}, cut) : cut,
      rest > 0 && h("span", { class: "faint" }, ` … ${number(rest)} more characters`)),
    texts?.map((text) => h("span", { class: "why" }, `← ${visible(text)}`)));
}

// The spans of lines to show: the head, and what is around marks.
function spansOf(count, marks, head) {
  const shown = [[0, Math.min(count, head)]];
  for (const line of [...marks.keys()].sort((a, b) => a - b)) {
    const span = [Math.max(0, line - AROUND), Math.min(count, line + AROUND + 1)];
    if (span[0] <= shown.at(-1)[1]) shown.at(-1)[1] = Math.max(shown.at(-1)[1], span[1]);
    else shown.push(span);
  }
  return shown;
}

function draw(list, lines, marks, head) {
  const rows = [];
  let at = 0;
  for (const [from, to] of spansOf(lines.length, marks, head)) {
    if (from > at) rows.push(h("li", { class: "gap" }, `… ${number(from - at)} lines`));
    for (let i = from; i < to; i++) rows.push(lineElement(lines[i], i, marks.get(i)));
    at = to;
  }
  if (at < lines.length) {
    const more = h("button", { type: "button", onclick: () => draw(list, lines, marks, head + STEP) },
      `Show more of ${number(lines.length - at)} further lines`);
    rows.push(h("li", { class: "gap" }, more));
  }
  list.replaceChildren(...rows);
}

/** The element that shows a refused event; `payload` is the pointer that its errors start from. */
export function showBody(event, payload) {
  const text = bodyText(event);
  let lines;
  try {
    lines = layOut(text);
  } catch {
    lines = text.split("\n").map((each) => ({ text: each, pointer: null, depth: 0 }));
  }
  const marks = marksOf(event, payload, lines);
  const list = h("ol", { class: "body" });
  draw(list, lines, marks, HEAD);
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Body of the event" }, list);
}
