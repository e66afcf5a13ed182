// plot.js - lines over the last hour, as SVG.
import { h, number, svg } from "./dom.js";

const STEPS = 360;
const HEIGHT = 60;

function path(values, most) {
  const first = STEPS - values.length;
  return values
    .map((value, i) => `${i ? "L" : "M"}${first + i} ${(HEIGHT - 1 - (value / most) * (HEIGHT - 4)).toFixed(1)}`)
    .join("");
}

/** Add lists of numbers element by element. */
export function sum(lists) {
  return lists.length === 0 ? [] : lists[0].map((_, i) => lists.reduce((total, list) => total + list[i], 0));
}

/**
 * A plot. `lines`: [{ name, kind, values }], one value for each step; `unit` is what a value
 * counts. The text below says what a reader without eyes for the lines wants to know.
 */
export function plot(title, lines, unit) {
  const most = Math.max(1, ...lines.flatMap((line) => line.values));
  const told = lines.map((line) => {
    const last = line.values.at(-1) ?? 0;
    return `${line.name}: now ${number(last)}, at most ${number(Math.max(0, ...line.values))}`;
  });
  return h("figure", {},
    h("figcaption", {}, title, " ", h("span", { class: "faint" }, `(up to ${number(most)} ${unit})`)),
    svg("svg", { viewBox: `0 0 ${STEPS} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
                 "aria-label": `${title}, last hour. ${told.join(". ")}` },
      svg("path", { class: "axis", d: `M0 ${HEIGHT - 0.5}H${STEPS}` }),
      lines.map((line) => svg("path", { class: `line ${line.kind}`, d: path(line.values, most) }))),
    h("p", { class: "legend" }, h("span", {}, "1 h ago"),
      h("span", {}, lines.map((line) => h("span", { class: `key ${line.kind}` }, line.name))), h("span", {}, "now")));
}

/** A small plot for a table's cell. */
export function spark(label, values, kind) {
  const most = Math.max(1, ...values);
  return svg("svg", { class: "spark", viewBox: `0 0 ${STEPS} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
                      "aria-label": `${label}: at most ${number(most)} in 10 s` },
    svg("path", { class: `line ${kind}`, d: path(values, most) }));
}
