// refused.js - refused events in groups, one group, one event; dead records.
import { get, inPortions, post, refusedIds } from "./api.js";
import { confirm, facts, h, number, plural, renew, say, table, when } from "./dom.js";
import { showBody } from "./event.js";

const SHOWN = 100; // events of a group

function groupLink(group) {
  const filter = { outcome: group.outcome };
  if (group.route) filter.route = group.route;
  if (group.rule) filter.rule = group.rule;
  return `#/refused?${new URLSearchParams(filter)}`;
}

/** The groups of refused events, at most `most` of them. */
export function groupTable(groups, most) {
  if (groups.length === 0) return h("p", { class: "empty" }, "No refused event is open.");
  const heads = [["Why"], ["Events", true], ["Route"], ["Rule"], ["Last"]];
  return table("Refused events that are open, by rule", heads, groups.slice(0, most).map((group) =>
    [h("a", { href: groupLink(group), "data-key": groupLink(group) }, group.outcome), number(group.count), group.route ?? "–",
     group.rule ?? "–", when(group.last)]));
}

export function showRefused() {
  const node = h("div", {}, h("p", {}, "loading"));
  return { node, update: (known) => renew(node, groupTable(known.groups ?? [], 200)) };
}

// What becomes of many: counts by outcome and reason.
function summaryOf(results) {
  const counts = new Map();
  for (const result of results) {
    const why = result.error ?? (result.status === 200 ? "would be accepted" : `${result.outcome}: ${result.reason}`);
    counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function resultList(results, isTrial) {
  const rows = summaryOf(results).map(([why, count]) =>
    h("li", {}, `${number(count)} × ${isTrial ? why : why.replace("would be accepted", "accepted")}`));
  return h("div", { class: "result" }, h("h2", {}, isTrial ? "Dry run" : "Replay"), h("ul", {}, rows));
}

const resultsOf = (answers) => answers.flatMap((answer) => answer.results);
const accepted = (results) => results.filter((result) => result.status === 200).length;

// The three buttons for some events. `find` returns their ids, `done` is called after a change.
function orders(find, result, done) {
  const run = (act) => async (click) => {
    const button = click.currentTarget;
    button.disabled = true;
    try {
      await act(await find());
    } catch (error) {
      say(error.message);
    }
    button.disabled = false;
  };
  const progress = (at, count) => say(`${number(at)} of ${number(count)}`);
  const replay = async (ids, isTrial) => {
    const results = resultsOf(await inPortions("refused/replay", ids, { dry_run: isTrial }, progress));
    renew(result, resultList(results, isTrial));
    say(`${isTrial ? "Dry run" : "Replayed"}: ${number(accepted(results))} of ${plural(ids.length, "event")} ${isTrial ? "would be " : ""}accepted.`);
    if (!isTrial) done();
  };
  const ask = (ids, verb, text, grave) => confirm(`${verb} ${plural(ids.length, "event")}?`, text, `${verb} ${plural(ids.length, "event")}`, grave);
  return h("p", { class: "buttons" },
    h("button", { type: "button", onclick: run((ids) => replay(ids, true)) }, "Dry run"),
    h("button", { type: "button", class: "main", onclick: run(async (ids) => {
      if (await ask(ids, "Replay", "Each is checked against the live schema, and delivered when it is accepted.")) await replay(ids, false);
    }) }, "Replay …"),
    h("button", { type: "button", class: "grave", onclick: run(async (ids) => {
      if (!(await ask(ids, "Discard", "They are deleted and cannot be replayed any more.", true))) return;
      const answers = await inPortions("refused/discard", ids, {}, progress);
      say(`${plural(answers.reduce((all, answer) => all + answer.gone, 0), "event")} discarded.`);
      done();
    }) }, "Discard …"));
}

function rowTable(rows) {
  const heads = [["Event"], ["Last"], ["EventBridge id"], ["Attempts", true], ["Reason"]];
  return table("Events, newest first", heads, rows.map((row) =>
    [h("a", { href: `#/event/${row.id}`, "data-key": `event-${row.id}` }, `Event ${row.id}`), when(row.last), row.event_id ?? "–",
     number(row.attempts), row.reason ?? row.rule ?? "–"]));
}

export function showGroup(query, changed) {
  const filter = Object.fromEntries(new URLSearchParams(query));
  const [list, result] = [h("div"), h("div")];
  let loaded = 0;
  const load = async () => {
    const answer = await get("refused", { ...filter, limit: SHOWN });
    renew(list, answer.refused.length > 0 ? rowTable(answer.refused) : h("p", { class: "empty" }, "No such event is open."),
      answer.more && h("p", {}, `The newest ${SHOWN} are shown; orders are about all.`));
  };
  const reload = () => load().catch((error) => say(error.message));
  reload();
  return {
    node: h("div", {},
      h("p", {}, h("strong", {}, filter.outcome ?? ""), filter.route ? ` on route ${filter.route}` : "", filter.rule && [" by the rule ", h("code", {}, filter.rule)]),
      orders(() => refusedIds(filter), result, () => {
        changed();
        reload();
      }), result, list),
    update() {
      if (++loaded % 5 === 0) reload();
    },
  };
}

function errorList(event) {
  if (!event.errors) return null;
  return h("section", {}, h("h2", {}, "Errors"), h("ul", {}, event.errors.map((unit) =>
    h("li", {}, h("code", {}, unit.instanceLocation || "(top)"), ` ${unit.error}`))));
}

export function showEvent(id, changed) {
  const [head, body, result] = [h("div"), h("div"), h("div")];
  const load = async () => {
    const { event, payload } = await get("refused/event", { id });
    renew(head, facts([["State", event.resolved ? h("span", {}, "accepted later, ", when(event.resolved)) : "open"], ["Outcome", event.outcome],
      ["Reason", event.details ?? event.reason], ["Rule", event.rule], ["Route", event.route], ["Schema", event.schema && `${event.schema}, version ${event.schema_version}`],
      ["EventBridge id", event.event_id], ["First", when(event.first)], ["Last", when(event.last)], ["Attempts", number(event.attempts)], ["Bytes", number(event.bytes)]]),
      errorList(event));
    renew(body, h("h2", {}, "Body"), showBody(event, payload ?? ""));
  };
  const reload = () => load().catch((error) => {
    renew(head, h("p", { class: "empty" }, error.message));
    renew(body);
  });
  reload();
  return {
    node: h("div", {}, orders(async () => [Number(id)], result, () => {
      changed();
      reload();
    }), result, head, body),
  };
}

export function showDead(id) {
  const [head, body] = [h("div"), h("div")];
  const act = (path, title, text, grave) => async () => {
    if (!(await confirm(`${title} 1 record?`, text, `${title} 1 record`, grave))) return;
    try {
      const answer = await post(path, { ids: [Number(id)] });
      say(answer.results?.[0].error ?? `${title}: done.`);
      location.hash = "#/sinks";
    } catch (error) {
      say(error.message);
    }
  };
  const load = async () => {
    const { record } = await get("dead/record", { id });
    renew(head, facts([["Sink", record.sink], ["Reason", record.reason], ["The target said", record.said], ["Route", record.route], ["Key", record.key],
      ["EventBridge id", record.event_id], ["Accepted", when(record.accepted)], ["Set aside", when(record.dead)], ["Attempts", number(record.attempts)]]));
    renew(body, h("h2", {}, "Record"), showBody({ body: JSON.stringify(record.record) ?? "", outcome: "" }, ""));
  };
  load().catch((error) => renew(head, h("p", { class: "empty" }, error.message)));
  return {
    node: h("div", {}, h("p", { class: "buttons" },
      h("button", { type: "button", class: "main", onclick: act("dead/replay", "Deliver", "The record goes to its sink again.") }, "Deliver again …"),
      h("button", { type: "button", class: "grave", onclick: act("dead/discard", "Discard", "The record is given up.", true) }, "Discard …")), head, body),
  };
}
