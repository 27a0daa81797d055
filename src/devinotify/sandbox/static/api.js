// The control API, and nothing else: this page talks to nobody but the sandbox that served it.

import { toast } from "./dom.js";
import { letGo } from "./press.js";

const AWAY = "The sandbox does not answer: is it still running?";

async function call(method, path, { query = {}, body } = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  const search = new URLSearchParams(given).toString();
  const options = { method, headers: { accept: "application/json" }, cache: "no-store" };
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const reply = await fetch(`/sandbox${path}${search ? `?${search}` : ""}`, options).catch(() => {
    throw new Error(AWAY);
  });
  if (reply.status === 401) location.reload();
  const document = await reply.json().catch(() => null);
  if (!reply.ok || !document) {
    const { status } = reply;
    throw Object.assign(new Error(document?.error ?? `The sandbox's answer cannot be read (status ${status})`), { status });
  }
  return document;
}

/** Return what is to be shown, when it may be: not while the reader presses what it may replace. */
export async function get(path, query) {
  const document = await call("GET", path, { query });
  await letGo();
  return document;
}

/** Return the lines that make a request again, or null where there are none, which is told. */
export async function curl(given) {
  try {
    return (await get("/curl", { ...given, base: `${location.origin}/rest` })).curl;
  } catch (refusal) {
    toast(refusal.message, true);
    return null;
  }
}

/** Do something that the reader asked for; a refusal is shown, and resolves to null. */
export async function act(method, path, given, done) {
  try {
    const document = await call(method, path, method === "DELETE" ? { query: given } : { body: given });
    if (done) toast(done);
    return document;
  } catch (refusal) {
    toast(refusal.message, true);
    return null;
  }
}
