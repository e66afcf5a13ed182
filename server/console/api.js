// api.js - requests to the admin API. The browser sends the credential: the cookie of a link that
// `sluice console` has printed, or the password of HTTP Basic.

/** An answer that is not 200; `message` is for people. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, { credentials: "same-origin", redirect: "error", ...options });
  } catch {
    throw new Refused(0, "The server does not answer.");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401)
    throw new Refused(401, "The link is no longer valid. Get a new one with: sluice console");
  throw new Refused(response.status, answer.details || answer.error || `HTTP ${response.status}`);
}

export function get(path, query = {}) {
  const text = new URLSearchParams(query).toString();
  return ask(text ? `${path}?${text}` : path, {});
}

/** `body`: an object, or a text that is sent as it is. */
export function post(path, body) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Sluice-Console": "1" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

const PAGE = 500;
const AT_ONCE = 50;

/** The ids of all refused events that match. */
export async function refusedIds(filter) {
  const ids = [];
  let more = true;
  while (more) {
    const before = ids.length > 0 ? { before: ids.at(-1) } : {};
    const page = await get("refused", { ...filter, ...before, limit: PAGE });
    ids.push(...page.refused.map((row) => row.id));
    more = page.more && page.refused.length > 0;
  }
  return ids;
}

/** Post a list of ids in portions; returns the answers. The server may leave the last ids of one for the next. */
export async function inPortions(path, ids, members, progress) {
  const answers = [];
  for (let at = 0; at < ids.length; ) {
    const portion = ids.slice(at, at + AT_ONCE);
    progress(at, ids.length);
    const answer = await post(path, { ...members, ids: portion });
    answers.push(answer);
    at += portion.length - (answer.left ?? 0);
  }
  return answers;
}
