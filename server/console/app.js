// app.js - chooses the page by the address's fragment, and asks the server every 2 seconds.
import { get } from "./api.js";
import { h, say } from "./dom.js";
import { showOverview, showSchema, showSchemas, showSinks, showTry } from "./pages.js";
import { showDead, showEvent, showGroup, showRefused } from "./refused.js";

const EVERY_MS = 2000;
const SLOWLY_MS = 10000;
const SAMPLES = 6;

// Each: the pattern of the fragment, the item of the navigation, the title, the page.
const pages = [
  [/^#\/?$/, "overview", "Overview", showOverview],
  [/^#\/refused$/, "refused", "Refused events", showRefused],
  [/^#\/refused\?(.*)$/, "refused", "Refused by one rule", showGroup],
  [/^#\/event\/(\d+)$/, "refused", "Refused event", showEvent],
  [/^#\/sinks$/, "sinks", "Sinks", showSinks],
  [/^#\/dead\/(\d+)$/, "sinks", "Dead record", showDead],
  [/^#\/schemas$/, "schemas", "Schemas", showSchemas],
  [/^#\/schema\?(.*)$/, "schemas", "Versions of a schema", showSchema],
  [/^#\/try$/, "try", "Try an event", showTry],
];

const known = { samples: [], groups: null, history: null };
let page = null; // the one that is shown: what its function returned
let asked = 0; // when groups and history were last asked for; 0: not yet

function announce(state) {
  const health = document.getElementById("health");
  health.textContent = state.top.ready ? "ready" : "NOT READY";
  health.className = `badge ${state.top.ready ? "good" : "bad"}`;
  document.getElementById("about").textContent = `Sluice ${state.version}, statuses: ${state.status_map}`;
}

async function refresh() {
  const state = await get("state");
  known.samples.push({ ...state, at: performance.now() });
  if (known.samples.length > SAMPLES) known.samples.shift();
  announce(state);
  if (asked === 0 || performance.now() - asked >= SLOWLY_MS) {
    asked = performance.now();
    const hasStore = state.top.store && state.top.store.max_bytes > 0;
    [known.history, known.groups] = await Promise.all([
      get("history").then((answer) => answer.history),
      hasStore ? get("refused/groups").then((answer) => answer.groups).catch(() => []) : [],
    ]);
  }
  page?.update?.(known);
}

async function tick() {
  try {
    if (!document.hidden) await refresh();
  } catch (error) {
    const health = document.getElementById("health");
    health.textContent = error.status === 401 ? "signed out" : "no answer";
    health.className = "badge bad";
    if (document.getElementById("news").textContent !== error.message) say(error.message);
  }
  setTimeout(tick, EVERY_MS);
}

function show() {
  const fragment = location.hash || "#/";
  const main = document.getElementById("main");
  const found = pages.find(([pattern]) => pattern.test(fragment));
  const [pattern, item, title, open] = found ?? [/^/, "", "There is no such page", () => ({ node: h("p") })];
  for (const link of document.querySelectorAll("nav a"))
    if (link.dataset.page === item) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  document.title = `${title} – Sluice`;
  say("");
  page = open(pattern.exec(fragment)[1] ?? "", renewGroups);
  main.replaceChildren(h("h1", {}, title), page.node);
  if (known.samples.length > 0) page.update?.(known);
}

/** After something has changed: ask for the groups again soon. */
function renewGroups() {
  asked = 0;
}

addEventListener("hashchange", () => {
  show();
  document.getElementById("main").focus();
});
if (location.search) history.replaceState(null, "", location.pathname + location.hash); // the token is a cookie now
show();
tick();
