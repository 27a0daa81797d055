// The other views: replies, faults, requests and settings.

import { act, get } from "./api.js";
import { confirmed, duration, field, fill, h, money, phone, pill, plural, select, time } from "./dom.js";

function page(title, note, ...content) {
  return h("div", { class: "page" }, h("h1", {}, title), note ? h("p", { class: "lead" }, note) : null, content);
}

const card = (title, ...content) => h("section", { class: "card" }, h("h2", {}, title), content);

const given = (form) => Object.fromEntries(new FormData(form));

function onSubmit(use) {
  return async (event) => {
    event.preventDefault();
    await use(event.target);
  };
}

export class Replies {
  constructor() {
    this.list = h("ul", { class: "replies", "aria-label": "Incoming messages" });
    const form = h(
      "form",
      {
        class: "line",
        onsubmit: onSubmit(async (form) => {
          const { sender, text } = given(form);
          if (await act("POST", "/incoming", { sender, text }, "The reply is in Sms/In")) form.elements.text.value = "";
        }),
      },
      field("From", h("input", { name: "sender", value: "79161234567", required: true, maxlength: 32 })),
      field("Text", h("input", { name: "text", required: true, maxlength: 2000 })),
      h("button", { class: "primary" }, "Add"),
    );
    this.element = page("Replies", "What subscribers sent: Sms/In answers these.", card("Add one", form), this.list);
  }

  async refresh() {
    const { incoming } = await get("/incoming", { limit: 200 });
    fill(this.list, incoming, () =>
      incoming.length
        ? incoming.map((message) =>
            h(
              "li",
              { class: "card" },
              h("p", { class: "meta" }, h("b", {}, phone(message.sender)), ` to ${phone(message.recipient)} · `, time(message.created_at)),
              h("p", { class: "body", dir: "auto" }, message.text),
            ),
          )
        : [h("li", { class: "empty" }, "No reply yet.")],
    );
  }
}

const PRESETS = [
  ["Down for a minute", { kind: "outage", lasts: 60 }],
  ["Every third answer is lost", { kind: "drop", probability: 0.33, seed: 1 }],
  ["Three seconds slow", { kind: "latency", seconds: 3 }],
  ["Session expires once", { kind: "expired-session", times: 1 }],
  ["A proxy's 502 page", { kind: "html", status: 502, times: 1 }],
  ["Ten requests a second", { kind: "rate" }],
];

const NUMBERS = ["probability", "seed", "times", "lasts", "seconds", "code", "status", "limit"];

export class Faults {
  constructor() {
    this.list = h("div", {});
    this.form = h("div", {});
    const presets = PRESETS.map(([label, fault]) =>
      h("button", { type: "button", onclick: () => act("POST", "/faults", fault, `Armed: ${label.toLowerCase()}`) }, label),
    );
    this.element = page(
      "Faults",
      "Make the gateway fail, and see what your program does.",
      card("At a press", h("div", { class: "buttons" }, presets)),
      card("Of your own", this.form),
      card("Armed", this.list),
    );
  }

  async refresh() {
    const [{ faults, kinds }, index] = await Promise.all([get("/faults"), get("")]);
    fill(this.form, kinds, () => this.build(kinds, index.operations));
    fill(this.list, faults, () => (faults.length ? this.armed(faults) : [h("p", { class: "muted" }, "No fault is armed: all is well.")]));
  }

  build(kinds, operations) {
    const names = operations.map(({ path }) => path.replace("/rest/", ""));
    const kind = select(kinds.map((one) => [one.kind, `${one.kind}: ${one.does}`]), { name: "kind" });
    const own = {
      seconds: field("Seconds to wait", h("input", { name: "seconds", type: "number", min: 0, max: 300, step: "any", value: "3" })),
      code: field("Code", h("input", { name: "code", type: "number", min: 1, max: 9, value: "8" })),
      status: field("HTTP status", h("input", { name: "status", type: "number", min: 300, max: 599, value: "502" })),
      limit: field("Requests a second", h("input", { name: "limit", type: "number", min: 1, max: 10000, value: "10" })),
    };
    const usual = { seconds: 3 };
    const accepts = field(
      "The request",
      select([["", "as usual for the kind"], ["yes", "is carried out"], ["no", "is not carried out"]], { name: "accepts" }),
    );
    const lasts = h("input", { name: "lasts", type: "number", min: 0, step: "any", placeholder: "for good" });
    const fit = () => {
      const chosen = kinds.find((one) => one.kind === kind.value);
      for (const [name, element] of Object.entries(own)) {
        const wanted = name in chosen.arguments;
        const input = element.querySelector("input");
        element.hidden = !wanted;
        input.disabled = !wanted;
        input.value = chosen.arguments[name] ?? usual[name] ?? "";
      }
      accepts.hidden = chosen.accepts === null;
      accepts.querySelector("select").disabled = accepts.hidden;
      lasts.required = "lasts" in chosen.arguments;
    };
    kind.addEventListener("change", fit);
    fit();
    return h(
      "form",
      {
        class: "grid",
        onsubmit: onSubmit(async (form) => {
          const fault = given(form);
          for (const [name, value] of Object.entries(fault)) {
            if (value === "") delete fault[name];
            else if (NUMBERS.includes(name)) fault[name] = Number(value);
          }
          if (fault.accepts) fault.accepts = fault.accepts === "yes";
          await act("POST", "/faults", fault, `Armed: ${fault.kind}`);
        }),
      },
      field("What goes wrong", kind),
      field("Operation", select([["*", "every operation"], ...names.map((name) => [name, name])], { name: "operation" })),
      field("Number", h("input", { name: "number", placeholder: "any", maxlength: 32 })),
      Object.values(own),
      accepts,
      field("Probability", h("input", { name: "probability", type: "number", min: 0, max: 1, step: "any", value: "1" })),
      field("Seed", h("input", { name: "seed", type: "number", min: 0, step: 1, placeholder: "none" })),
      field("At most, times", h("input", { name: "times", type: "number", min: 1, placeholder: "no end" })),
      field("Lasts, seconds", lasts),
      h("button", { class: "primary" }, "Arm"),
    );
  }

  armed(faults) {
    const cells = (fault) => [
      fault.kind,
      fault.operation === "*" ? "every operation" : fault.operation,
      fault.number === "*" ? "any number" : phone(fault.number),
      [
        fault.seconds === null ? "" : `${fault.seconds} s`,
        fault.code === null ? "" : `Code ${fault.code}`,
        fault.status === null ? "" : `status ${fault.status}`,
        fault.limit === null ? "" : `past ${fault.limit} a second`,
        fault.probability < 1 ? `${Math.round(fault.probability * 100)} %` : "",
        fault.seed === null ? "" : `seed ${fault.seed}`,
        fault.times === null ? "" : `at most ${fault.times}`,
        fault.lasts === null ? "" : `for ${duration(fault.lasts)}`,
        fault.accepts ? "carried out" : "not carried out",
      ]
        .filter(Boolean)
        .join(" · "),
      plural(fault.hits, "hit"),
    ];
    const remove = (id) =>
      h("button", { type: "button", class: "quiet danger", "aria-label": `Disarm fault ${id}`, onclick: () => act("DELETE", "/faults", { id }) }, "Disarm");
    return [
      h(
        "ul",
        { class: "armed" },
        faults.map((fault) =>
          h(
            "li",
            { class: fault.over ? "over" : "" },
            cells(fault).map((text, index) => h(index ? "span" : "b", {}, text)),
            fault.over ? h("span", { class: "pill" }, "over") : h("span", { class: "pill bad" }, "armed"),
            remove(fault.id),
          ),
        ),
      ),
      h("button", { type: "button", class: "quiet danger", onclick: () => act("DELETE", "/faults", {}, "All is well again") }, "Disarm all"),
    ];
  }
}

export class Requests {
  constructor() {
    this.list = h("div", { class: "requests" });
    this.element = page("Requests", "The last requests to the gateway, with every secret masked.", this.list);
    this.shown = new Map();
  }

  async refresh() {
    const { requests, total } = await get("/requests", { limit: 100 });
    fill(this.list, [total, requests], () => {
      const open = new Set([...this.list.querySelectorAll("details[open]")].map((one) => one.dataset.key));
      if (!requests.length) return [h("p", { class: "empty" }, "No request yet.")];
      return requests.map((request) => {
        const key = `${request.at}${request.path}`;
        return h(
          "details",
          { "data-key": key, open: open.has(key) },
          h(
            "summary",
            {},
            time(request.at),
            h("b", {}, request.method),
            h("span", { class: "path" }, request.operation ?? request.path),
            request.fault ? h("span", { class: "pill odd" }, request.fault) : null,
            h("span", { class: request.status < 400 ? "pill good" : "pill bad" }, `${request.status}${request.code ? ` · Code ${request.code}` : ""}`),
          ),
          h("pre", { tabindex: "0", "aria-label": "Request as received" }, request.raw),
        );
      });
    });
  }
}

const ADVANCES = [["1 minute", 60], ["1 hour", 3600], ["2 hours", 7200], ["1 day", 86400], ["49 hours", 176400]];

export class Settings {
  constructor() {
    this.now = h("p", { class: "big" });
    this.money = h("p", { class: "big" });
    this.sessions = h("p", { class: "big" });
    this.fates = h("div", {});
    this.timelines = h("div", {});
    const advance = ADVANCES.map(([label, seconds]) =>
      h("button", { type: "button", onclick: () => act("POST", "/clock", { advance: seconds }, `${label} later`) }, `+ ${label}`),
    );
    const balance = h(
      "form",
      { class: "line", onsubmit: onSubmit((form) => act("POST", "/balance", given(form), "The balance is set")) },
      field("New balance", h("input", { name: "balance", inputmode: "decimal", required: true, maxlength: 20 })),
      h("button", { class: "primary" }, "Set"),
    );
    const expire = h("button", { type: "button", onclick: () => act("POST", "/sessions", { expire: true }, "All sessions are over") }, "End all");
    const reset = h(
      "button",
      {
        type: "button",
        class: "danger",
        onclick: async () => {
          if (await confirmed("Reset everything: messages, faults, fates, clock and balance?", "Reset")) {
            await act("POST", "/reset", {}, "Back to the start");
          }
        },
      },
      "Reset everything",
    );
    this.element = page(
      "Settings",
      null,
      h(
        "div",
        { class: "cards" },
        card("Clock", this.now, h("div", { class: "buttons" }, advance)),
        card("Balance", this.money, balance),
        card("Sessions", this.sessions, expire),
        card("Start again", h("p", { class: "muted" }, "Forgets all that arrived and all that was set."), reset),
      ),
      card("Fates of numbers", this.fates),
      card("Delivery timelines", this.timelines),
      h("p", { class: "muted" }, "The same by HTTP: ", h("a", { href: "/sandbox" }, "/sandbox"), ", described at ", h("a", { href: "/openapi.json" }, "/openapi.json"), "."),
    );
  }

  async refresh(_, statistics) {
    const [clock, fates] = await Promise.all([get("/clock"), get("/fates")]);
    fill(this.now, [clock.now.slice(0, 19), clock.advanced], () => [
      time(clock.now, { withDay: true }),
      clock.advanced ? h("small", { class: "muted" }, ` advanced by ${duration(clock.advanced)}`) : null,
      clock.running ? null : h("small", { class: "muted" }, " stands still"),
    ]);
    fill(this.money, statistics.balance, () => [money(statistics.balance)]);
    fill(this.sessions, statistics.sessions, () => [plural(statistics.sessions, "valid session")]);
    fill(this.fates, fates.set, () => this.fateForm(fates));
    fill(this.timelines, fates.fates, () => this.timelineForm(fates.fates));
  }

  fateForm({ fates, set }) {
    const options = fates.map(({ fate, meaning }) => [fate, `${fate}: ${meaning}`]);
    const numbers = Object.entries(set);
    return [
      h(
        "form",
        { class: "grid", onsubmit: onSubmit((form) => act("POST", "/fates", given(form), "The fate is set")) },
        field("Number", h("input", { name: "number", required: true, maxlength: 32, value: "*" }), "* stands for every number without a fate of its own"),
        field("What becomes of its messages", select(options, { name: "fate" })),
        h("button", { class: "primary" }, "Set"),
      ),
      h(
        "ul",
        { class: "armed" },
        numbers.map(([digits, fate]) => {
          const shown = digits === "*" ? "every other number" : phone(`+${digits}`);
          const back = () => act("POST", "/fates", { number: digits, fate: null });
          return h(
            "li",
            {},
            h("b", {}, shown),
            h("span", {}, fate),
            h("button", { type: "button", class: "quiet danger", "aria-label": `Take the fate of ${shown} back`, onclick: back }, "Take back"),
          );
        }),
      ),
    ];
  }

  timelineForm(fates) {
    const name = h("input", { name: "fate", list: "fate-names", required: true, maxlength: 40, value: "delivered" });
    const write = (steps) => steps.map(([after, state]) => `${after} ${state}`).join("\n");
    const sms = h("textarea", { name: "sms", rows: 4, spellcheck: "false" });
    const viber = h("textarea", { name: "viber", rows: 4, spellcheck: "false" });
    const read = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => line.split(/\s+/).map(Number));
    const load = () => {
      const known = fates.find(({ fate }) => fate === name.value);
      sms.value = known ? write(known.sms) : "";
      viber.value = known ? write(known.viber) : "";
    };
    name.addEventListener("change", load);
    load();
    const changed = fates.filter((one) => one.changed);
    return [
      h(
        "form",
        {
          class: "grid",
          onsubmit: onSubmit((form) => {
            const { fate } = given(form);
            return act("POST", "/timelines", { fate, sms: read(sms.value), viber: read(viber.value) }, "The timeline is set");
          }),
        },
        field("Fate", name, "one of the list, or a new name"),
        h("datalist", { id: "fate-names" }, fates.map(({ fate }) => h("option", { value: fate }))),
        field("SMS: seconds and state, a line each", sms),
        field("Viber: seconds and state, a line each", viber),
        h("button", { class: "primary" }, "Set"),
      ),
      changed.length
        ? h(
            "ul",
            { class: "armed" },
            changed.map(({ fate }) =>
              h(
                "li",
                {},
                h("b", {}, fate),
                h("span", {}, "has a timeline of your own"),
                h("button", { type: "button", class: "quiet danger", "aria-label": `Take the timeline of ${fate} back`, onclick: () => act("POST", "/timelines", { fate }) }, "Take back"),
              ),
            ),
          )
        : null,
    ];
  }
}
