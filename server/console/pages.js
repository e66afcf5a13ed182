// pages.js - the overview, the sinks, the schemas, and the place to try an event.
import { get, post } from "./api.js";
import { duration, facts, h, number, plural, renew, say, table, when } from "./dom.js";
import { showDiff } from "./diff.js";
import { linesOf } from "./event.js";
import { plot, spark, sum } from "./plot.js";
import { groupTable } from "./refused.js";

const ACCEPTED = ["valid", "duplicate", "dropped"];
const FAILED = {
  tutorial: ["registry_unavailable", "internal", "unavailable"],
  eventbridge: ["registry_unavailable", "internal", "unavailable", "schema_not_found", "registry_denied",
                "registry_unreachable", "schema_unusable"],
};

function totalsOf(outcomes, map) {
  const totals = { accepted: 0, refused: 0, failed: 0 };
  for (const [outcome, count] of Object.entries(outcomes ?? {})) {
    if (ACCEPTED.includes(outcome)) totals.accepted += count;
    else totals[FAILED[map].includes(outcome) ? "failed" : "refused"] += count;
  }
  return totals;
}

// Totals and rates of each route, from the oldest and the newest sample.
function routesOf(samples) {
  const [first, last] = [samples[0], samples.at(-1)];
  const seconds = (last.at - first.at) / 1000;
  return last.top.routes.map((route) => {
    const before = first.top.routes.find((each) => each.name === route.name);
    const now = totalsOf(route.outcomes, last.status_map);
    const then = totalsOf(before?.outcomes, last.status_map);
    const rate = (kind) => (seconds > 0 ? Math.max(0, now[kind] - then[kind]) / seconds : 0);
    return { name: route.name, ...now, rates: { accepted: rate("accepted"), refused: rate("refused"), failed: rate("failed") } };
  });
}

const total = (routes, kind) => routes.reduce((all, route) => all + route.rates[kind], 0);
const series = (list, name) => list?.find((each) => each.name === name);

function tile(title, value, text, isBad) {
  return h("section", { class: isBad ? "tile bad" : "tile" }, h("h2", {}, title), h("p", { class: "value" }, value), h("p", {}, text));
}

const STATES = { configuration: "misconfigured", unconfigured: "not configured" };

function troubleOf(sink) {
  const words = [];
  if (sink.state !== "running") words.push(STATES[sink.state] ?? sink.state);
  if (sink.dead > 0) words.push(plural(sink.dead, "dead record"));
  return words.join(", ");
}

function tiles(known, routes) {
  const top = known.samples.at(-1).top;
  const sinks = top.sinks ?? [];
  const waiting = sinks.reduce((all, sink) => all + sink.pending, 0);
  const worst = [...sinks].sort((a, b) => b.oldest_ms - a.oldest_ms)[0];
  const open = top.store?.refused_open ?? 0;
  const failing = sinks.filter(troubleOf);
  const waits = waiting > 0 ? `for ${worst.name}; the oldest since ${duration(worst.oldest_ms)}` : "nothing waits";
  return h("div", { class: "tiles" },
    tile("Arrives", `${number(total(routes, "accepted"))}/s`, `accepted; ${number(total(routes, "failed"))}/s answered 5xx`,
         total(routes, "failed") > 0),
    tile("Refused", `${number(total(routes, "refused"))}/s`, h("a", { href: "#/refused", "data-key": "open" }, `${number(open)} open`),
         open > 0),
    tile("Waits", number(waiting), waits, (worst?.oldest_ms ?? 0) > 60000),
    tile("Sinks", failing.length > 0 ? plural(failing.length, "trouble") : "well",
         failing.length > 0 ? failing.map((sink) => `${sink.name}: ${troubleOf(sink)}`).join("; ") : plural(sinks.length, "sink"),
         failing.length > 0));
}

function arrivals(history) {
  const of = (kind) => sum(history.routes.map((route) => route[kind]));
  return plot("Events in 10 s", ["accepted", "refused", "failed"].map((kind) => ({ name: kind, kind, values: of(kind) })), "events");
}

function waitings(history) {
  return plot("Records that wait", [{ name: "waiting", kind: "waiting", values: sum(history.sinks.map((sink) => sink.pending)) }], "records");
}

function routeTable(routes, history) {
  const rows = routes.filter((route) => route.name || route.accepted + route.refused + route.failed > 0).map((route) => {
    const past = series(history?.routes, route.name);
    return [route.name || "(no route)", number(route.rates.accepted), number(route.rates.refused), number(route.rates.failed),
            number(route.accepted), number(route.refused), number(route.failed),
            past && spark("accepted", past.accepted, "accepted")];
  });
  const heads = [["Route"], ["Accepted/s", true], ["Refused/s", true], ["5xx/s", true], ["Accepted", true], ["Refused", true], ["5xx", true], ["Last hour"]];
  return table("Routes", heads, rows);
}

export function showOverview() {
  const [head, plots, below] = [h("div"), h("div", { class: "plots" }), h("div")];
  let drawn = null;
  return {
    node: h("div", {}, head, plots, below),
    update(known) {
      const routes = routesOf(known.samples);
      renew(head, tiles(known, routes));
      if (known.history && drawn !== known.history) {
        drawn = known.history;
        renew(plots, arrivals(known.history), waitings(known.history));
      }
      renew(below, groupTable(known.groups ?? [], 5), routeTable(routes, known.history), sinkTable(known, () => null));
    },
  };
}

function stateOf(sink) {
  return [troubleOf(sink) || "running", sink.waits_until && [", until ", when(sink.waits_until)]];
}

function rowText({ in_a_row: count }) {
  return count > 0 ? `${plural(count, "delivery", "deliveries")} in a row` : "later deliveries did not fail";
}

function lastErrors(known) {
  const sinks = (known.samples.at(-1).top.sinks ?? []).filter((sink) => sink.last_error);
  return sinks.map(({ name, last_error: error }) =>
    h("section", { class: error.in_a_row > 0 ? "tile bad" : "tile" }, h("h2", {}, `Last error of ${name}`),
      facts([["Reason", error.reason], ["At", when(error.at)], ["Failed", rowText(error)],
             ["The target said", error.said && h("code", {}, error.said)]])));
}

function sinkTable(known, buttons) {
  const sinks = known.samples.at(-1).top.sinks ?? [];
  const rows = sinks.map((sink) => {
    const past = series(known.history?.sinks, sink.name);
    return [sink.name, number(sink.pending), duration(sink.oldest_ms), number(sink.delivered), number(sink.dead),
            stateOf(sink), past && spark("waiting", past.pending, "waiting"), buttons(sink)];
  });
  const heads = [["Sink"], ["Waiting", true], ["Oldest", true], ["Delivered", true], ["Dead", true], ["State"], ["Last hour"], ["Orders"]];
  const width = rows.some((row) => row[7]) ? 8 : 7;
  return table("Sinks", heads.slice(0, width), rows.map((row) => row.slice(0, width)));
}

async function pause(sink) {
  try {
    await post(sink.paused ? "sinks/resume" : "sinks/pause", { name: sink.name });
    say(sink.paused ? `${sink.name} gets records again.` : `${sink.name} is paused; its records wait.`);
  } catch (error) {
    say(error.message);
  }
}

function pauseButton(sink) {
  return h("button", { type: "button", "data-key": `pause-${sink.name}`, onclick: () => pause(sink) },
    sink.paused ? `Resume ${sink.name}` : `Pause ${sink.name}`);
}

function deadTable(rows) {
  const heads = [["Record"], ["Set aside"], ["Sink"], ["Route"], ["Attempts", true], ["Reason"]];
  return table("Dead records, newest first", heads, rows.map((row) =>
    [h("a", { href: `#/dead/${row.id}`, "data-key": `dead-${row.id}` }, `Record ${row.id}`), when(row.dead), row.sink,
     row.route ?? "–", number(row.attempts), row.reason ?? "–"]));
}

export function showSinks() {
  const [head, dead] = [h("div"), h("div")];
  let count = -1;
  const load = async () => renew(dead, deadTable((await get("dead", { limit: 100 })).dead));
  return {
    node: h("div", {}, head, dead),
    update(known) {
      const sinks = known.samples.at(-1).top.sinks ?? [];
      const now = sinks.reduce((all, sink) => all + sink.dead, 0);
      renew(head, sinkTable(known, pauseButton), lastErrors(known));
      if (now !== count) load().catch((error) => say(error.message));
      count = now;
    },
  };
}

function guardText(guard) {
  if (!guard) return "–";
  const what = `version ${guard.version} refuses ${guard.refused} of ${plural(guard.tried, "accepted payload")}`;
  return `${what}, first at ${guard.instance_location || "the top"} by ${guard.keyword_location}${guard.held ? "; it is held back" : "; it is in use"}`;
}

const VERDICTS = {
  agrees: "decided alike", would_refuse: "would be refused", would_accept: "would be accepted",
  skipped: "not checked in time", unavailable: "without the shadow schema",
};

function shadowRules(shadow) {
  if (shadow.rules.length === 0) return null;
  const heads = [["Shadow's decision"], ["Rule"], ["First place"], ["Events", true], ["First event"]];
  return [
    table(`Rules that decide differently on ${shadow.route}`, heads, shadow.rules.map((rule) =>
      [VERDICTS[rule.verdict] ?? rule.verdict, rule.rule || "(too costly to find)", rule.place || "(top)", number(rule.events), when(rule.first_at)])),
    shadow.rules_left_out > 0 && h("p", {}, `And ${plural(shadow.rules_left_out, "event")} by more rules.`),
  ];
}

function shadowSection(shadow) {
  const counts = Object.entries(VERDICTS).map(([verdict, text]) => [`Events ${text}`, number(shadow.events[verdict])]);
  return h("section", {}, h("h2", {}, `Shadow of route ${shadow.route}: ${shadow.shadow}`),
    facts([["Live schema", `${shadow.registry}/${shadow.schema}${shadow.live_version ? `, version ${shadow.live_version}` : ""}`],
      ["Shadow version", shadow.shadow_version || (shadow.usable ? "no event yet" : "none")], ["Last error", shadow.error],
      ["Since", shadow.since ? when(shadow.since) : "no event yet"], ...counts]),
    shadowRules(shadow));
}

export function showSchemas() {
  const [node, shadowed] = [h("div"), h("div")];
  const heads = [["Schema"], ["Live version"], ["Live since"], ["Confirmed"], ["Last look"], ["Looks that failed", true], ["Last error"], ["Guard"]];
  const load = async () => {
    const [{ schemas }, { shadows }] = await Promise.all([get("schemas"), get("shadows")]);
    renew(shadowed, shadows.map(shadowSection));
    renew(node, table("Schemas", heads, schemas.map((each) =>
      [h("a", { href: `#/schema?${new URLSearchParams({ registry: each.registry, schema: each.schema })}`, "data-key": `${each.registry}/${each.schema}` },
         `${each.registry}/${each.schema}`),
       each.usable ? each.version : "none", when(each.since), `${duration(each.age_ms)} ago`,
       each.looked_ms === undefined ? "not yet" : `${duration(each.looked_ms)} ago`, number(each.failed),
       each.error ?? "–", guardText(each.guard)])));
  };
  return { node: h("div", {}, node, shadowed), update: () => load().catch((error) => say(error.message)) };
}

function versionDiff(title, from, to) {
  if (!from?.text || !to?.text) return null;
  const label = `${title}: from version ${from.version} to version ${to.version}`;
  return [h("h2", {}, label), showDiff(label, linesOf(from.text), linesOf(to.text)) ?? h("p", {}, "The texts have no difference.")];
}

export function showSchema(query) {
  const node = h("div", {}, h("p", {}, "loading"));
  const asked = Object.fromEntries(new URLSearchParams(query));
  const load = async () => {
    const { live, previous, held_back: held } = (await get("schemas/texts", asked)).texts;
    const lines = live?.text && linesOf(live.text).join("\n");
    renew(node, h("p", {}, h("strong", {}, `${asked.registry}/${asked.schema}`)),
      versionDiff("The version that the guard holds back", live, held), versionDiff("The version before", previous, live),
      !previous && h("p", { class: "empty" }, "The version has not changed since the server started; earlier texts are not kept."),
      h("h2", {}, live ? `Live version ${live.version}` : "No version is live"),
      lines && h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Live version" }, h("pre", { class: "diff" }, lines)),
      live && !live.text && h("p", {}, "The text is over 1 MiB."));
  };
  load().catch((error) => renew(node, h("p", { class: "empty" }, error.message)));
  return { node };
}

// Try an event.

function stepLine(step) {
  const missed = (step.missed ?? []).map((miss) => `${miss.route}: ${miss.key} is ${miss.found}`);
  const fields = (step.fields ?? []).map((field) => `${field.field} ← ${field.from}`);
  return h("li", { class: step.ok ? "good" : "bad" }, h("strong", {}, `${step.step}: ${step.ok ? "ok" : "failed"}`), " ",
    step.found ?? step.error ?? "", [...missed, ...fields].length > 0 && h("ul", {}, [...missed, ...fields].map((text) => h("li", {}, text))));
}

export function showTry() {
  const input = h("textarea", { id: "event", rows: "14", spellcheck: "false" });
  const result = h("div");
  const run = async (submit) => {
    submit.preventDefault();
    try {
      const { explanation } = await post("explain", input.value);
      renew(result, h("h2", {}, `The answer would be ${explanation.status}`), h("ol", { class: "steps" }, explanation.steps.map(stepLine)),
        h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Answer" }, h("pre", {}, JSON.stringify(explanation.body, null, 2))));
      say(`The answer would be ${explanation.status}.`);
    } catch (error) {
      say(error.message);
    }
  };
  return {
    node: h("div", {}, h("form", { onsubmit: run }, h("p", {}, h("label", { for: "event" }, "An event as JSON. Nothing is stored or sent.")),
      input, h("p", { class: "buttons" }, h("button", { class: "main" }, "Explain"))), result),
  };
}
