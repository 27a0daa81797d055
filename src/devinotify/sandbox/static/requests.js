// The last requests: who was written to, what, how long it took, what went wrong, and the request in full.

import { curl, get } from "./api.js";
import { copier, fill, h, number, phone, time } from "./dom.js";
import { page } from "./parts.js";

const SNIPPET = 120;

export class Requests {
  constructor() {
    this.list = h("div", { class: "requests" });
    this.element = page("Requests", "The last requests to the gateway, with every secret masked.", this.list);
  }

  async refresh() {
    const { requests, total } = await get("/requests", { limit: 100 });
    fill(this.list, [total, requests], () => {
      const open = new Set([...this.list.querySelectorAll("details[open]")].map((one) => one.dataset.key));
      if (!requests.length) return [h("p", { class: "empty" }, "No request yet.")];
      return requests.map((request) => entry(request, open.has(String(request.id))));
    });
  }
}

function entry(request, open) {
  const code = request.code === null ? "" : ` · Code ${request.code}`;
  return h(
    "details",
    { "data-key": request.id, open },
    h(
      "summary",
      {},
      time(request.at),
      h("b", { class: "operation" }, request.operation ?? `${request.method} ${request.path}`),
      h("span", { class: "to" }, numbers(request.parameters)),
      h("span", { class: "snippet", dir: "auto" }, (request.parameters.data?.[0] ?? "").slice(0, SNIPPET)),
      request.fault ? h("span", { class: "pill odd" }, request.fault) : null,
      h("span", { class: "took" }, milliseconds(request.took)),
      h("span", { class: request.status < 400 && request.status ? "pill good" : "pill bad" }, `${request.status || "no answer"}${code}`),
    ),
    h(
      "div",
      { class: "opened" },
      decoded(request.parameters),
      h("div", { class: "line" }, h("h3", {}, "As received"), h("span", { class: "gap" }), copier("Copy as curl", () => curl({ request: request.id }))),
      h("pre", { tabindex: "0", "aria-label": "Request as received" }, request.raw),
    ),
  );
}

function numbers(parameters) {
  const given = [...(parameters.destinationaddress ?? []), ...(parameters.destinationaddresses ?? [])];
  const more = given.length > 1 ? ` +${number(given.length - 1)}` : "";
  return given.length ? `${phone(given[0])}${more}` : "";
}

const milliseconds = (took) => (took < 1 ? `${Math.max(1, Math.round(took * 1000))} ms` : `${took.toFixed(1)} s`);

/** Return the parameters by their names, as they are after decoding. */
export function decoded(parameters) {
  const pairs = Object.entries(parameters);
  if (!pairs.length) return h("p", { class: "muted" }, "No parameters.");
  return h(
    "dl",
    { class: "facts decoded" },
    pairs.map(([name, values]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, values.map((value) => h("code", { dir: "auto" }, value)))),
    ),
  );
}
