// What goes wrong.

import { act, get } from "./api.js";
import { duration, field, fill, h, phone, plural, select } from "./dom.js";
import { card, given, onSubmit, page } from "./parts.js";

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
      h("button", { type: "button", onclick: () => act("POST", "/faults", fault, `Added: ${label.toLowerCase()}`) }, label),
    );
    this.element = page(
      "Faults",
      "Make the gateway fail, and see what your program does.",
      card("Presets", h("div", { class: "buttons" }, presets)),
      card("Custom fault", this.form),
      card("Active", this.list),
    );
  }

  async refresh() {
    const [{ faults, kinds }, index] = await Promise.all([get("/faults"), get("")]);
    fill(this.form, kinds, () => this.build(kinds, index.operations));
    fill(this.list, faults, () => (faults.length ? this.active(faults) : [h("p", { class: "muted" }, "No fault is active: all is well.")]));
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
          await act("POST", "/faults", fault, `Added: ${fault.kind}`);
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
      h("button", { class: "primary" }, "Add"),
    );
  }

  active(faults) {
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
      h("button", { type: "button", class: "quiet danger", "aria-label": `Remove fault ${id}`, onclick: () => act("DELETE", "/faults", { id }) }, "Remove");
    return [
      h(
        "ul",
        { class: "armed columns" },
        faults.map((fault) =>
          h(
            "li",
            { class: fault.over ? "over" : "" },
            cells(fault).map((text, index) => h(index ? "span" : "b", {}, text)),
            fault.over ? h("span", { class: "pill" }, "over") : h("span", { class: "pill bad" }, "active"),
            remove(fault.id),
          ),
        ),
      ),
      h("button", { type: "button", class: "quiet danger flush", onclick: () => act("DELETE", "/faults", {}, "All is well again") }, "Remove all"),
    ];
  }
}
