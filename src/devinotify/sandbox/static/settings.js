// The clock, the money, and what becomes of messages.

import { act, get } from "./api.js";
import { confirmed, duration, field, fill, h, money, number, phone, plural, select, time } from "./dom.js";
import { card, given, onSubmit, page } from "./parts.js";
import { Steps } from "./steps.js";

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
    this.posted = h("p", { class: "big" });
    this.webhook = card("Webhook", this.posted, h("p", { class: "muted" }, "What arrives is posted to your address; what it does not take is tried again, and then given up."));
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
        { class: "cards wide" },
        card("Clock", this.now, h("div", { class: "buttons" }, advance)),
        card("Balance", this.money, balance),
        card("Sessions", this.sessions, expire),
        this.webhook,
        card("Start again", h("p", { class: "muted" }, "Forgets all that arrived and all that was set."), reset),
      ),
      card("Fates of numbers", h("p", { class: "muted" }, "What becomes of what is sent to a number from now on; * is every number without a fate of its own."), this.fates),
      card("Delivery timelines", this.timelines),
      h("p", { class: "muted" }, "The same by HTTP: ", h("a", { href: "/sandbox" }, "/sandbox"), ", described at ", h("a", { href: "/openapi.json" }, "/openapi.json"), "."),
    );
  }

  async refresh(statistics) {
    const [clock, fates] = await Promise.all([get("/clock"), get("/fates")]);
    fill(this.now, [clock.now.slice(0, 19), clock.advanced], () => [
      time(clock.now, { withDay: true }),
      clock.advanced ? h("small", { class: "muted" }, ` advanced by ${duration(clock.advanced)}`) : null,
      clock.running ? null : h("small", { class: "muted" }, " stands still"),
    ]);
    fill(this.money, statistics.balance, () => [money(statistics.balance)]);
    fill(this.sessions, statistics.sessions, () => [plural(statistics.sessions, "valid session")]);
    this.webhook.hidden = !statistics.posted;
    if (statistics.posted) fill(this.posted, statistics.posted, () => postedOf(statistics.posted));
    fill(this.fates, fates.set, () => this.fateForm(fates));
    fill(this.timelines, fates.fates, () => this.timelineForm(fates));
  }

  fateForm({ fates, set }) {
    const options = fates.map(({ fate, meaning }) => [fate, `${fate}: ${meaning}`]);
    const numbers = Object.entries(set);
    return [
      h(
        "form",
        { class: "line", onsubmit: onSubmit((form) => act("POST", "/fates", given(form), "The fate is set")) },
        field("Number", h("input", { name: "number", required: true, maxlength: 32, value: "*" })),
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

  timelineForm({ fates, states }) {
    const name = h("input", { name: "fate", list: "fate-names", required: true, maxlength: 40, value: "delivered" });
    const sms = new Steps("SMS", states.sms);
    const viber = new Steps("Viber", states.viber);
    const load = () => {
      const known = fates.find(({ fate }) => fate === name.value);
      sms.set(known?.sms ?? []);
      viber.set(known?.viber ?? []);
    };
    name.addEventListener("change", load);
    load();
    const changed = fates.filter((one) => one.changed);
    return [
      h(
        "form",
        {
          class: "stack",
          onsubmit: onSubmit((form) => {
            const { fate } = given(form);
            return act("POST", "/timelines", { fate, sms: sms.get(), viber: viber.get() }, "The timeline is set");
          }),
        },
        field("Fate", name, "one of the list, or a new name"),
        h("datalist", { id: "fate-names" }, fates.map(({ fate }) => h("option", { value: fate }))),
        h("div", { class: "timelines" }, sms.element, viber.element),
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

const postedOf = ({ posted, lost, waiting }) => [
  `${number(posted)} posted`,
  waiting ? h("small", { class: "muted" }, ` ${number(waiting)} waiting`) : null,
  lost ? h("span", { class: "pill bad" }, `${number(lost)} given up`) : null,
];
