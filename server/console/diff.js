// diff.js - the lines that differ between two texts.
import { h, number } from "./dom.js";

const AROUND = 3; // equal lines shown around a difference
const CELLS_MAX = 4e6; // of the table that finds the longest common lines
const ROWS_MAX = 2000; // shown

// The operations that make `b` of `a`: [sign, line], sign one of " ", "-", "+".
function compare(a, b) {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const as = (sign, lines) => lines.map((line) => [sign, line]);
  return [...as(" ", a.slice(0, head)),
          ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
          ...as(" ", a.slice(a.length - tail))];
}

// By the longest common subsequence; what is too long for that is replaced as a whole.
function middle(a, b) {
  const width = b.length + 1;
  const isLong = (a.length + 1) * width > CELLS_MAX;
  const common = new Uint32Array(isLong ? 0 : (a.length + 1) * width);
  const found = [];
  for (let i = a.length - 1; !isLong && i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i * width + j] = a[i] === b[j] ? common[(i + 1) * width + j + 1] + 1
        : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (!isLong && i < a.length && j < b.length && a[i] === b[j]) {
      found.push([" ", a[i]]);
      i++;
      j++;
    } else if (i < a.length && (isLong || j === b.length || common[(i + 1) * width + j] >= common[i * width + j + 1])) found.push(["-", a[i++]]);
    else found.push(["+", b[j++]]);
  }
  return found;
}

const WORDS = { "-": "removed: ", "+": "added: " };

/** The element that shows the difference of two lists of lines; null: there is none. */
export function showDiff(label, from, to) {
  const lines = compare(from, to);
  const near = new Set();
  lines.forEach(([sign], at) => {
    for (let i = at - AROUND; sign !== " " && i <= at + AROUND; i++) near.add(i);
  });
  if (near.size === 0) return null;
  const rows = [];
  let [left, more] = [0, 0];
  const gap = () => left > 0 && rows.push(h("span", { class: "faint" }, `… ${number(left)} equal lines …\n`));
  lines.forEach(([sign, line], at) => {
    if (!near.has(at)) {
      left++;
      return;
    }
    if (rows.length >= ROWS_MAX) {
      more++;
      return;
    }
    gap();
    left = 0;
    const text = [h("span", { "aria-hidden": "true" }, `${sign} `), WORDS[sign] && h("span", { class: "unseen" }, WORDS[sign]), `${line}\n`];
    rows.push(sign === " " ? text : h(sign === "-" ? "del" : "ins", {}, text));
  });
  if (more > 0) rows.push(h("span", { class: "faint" }, `… ${number(more)} more lines of the difference …\n`));
  else gap();
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("pre", { class: "diff" }, rows));
}
