// One message: as a phone shows it, what it cost, what became of it, and how it came in.

import { act, get } from "./api.js";
import { channelBadge, duration, fill, h, money, phone, pill, plural, time, tone } from "./dom.js";

const OUTCOMES = [
  ["delivered", "Delivered", ["sms", "viber"]],
  ["read", "Read", ["viber"]],
  ["expired", "Expired", ["sms", "viber"]],
  ["rejected", "Rejected", ["sms", "viber"]],
  ["not-a-viber-user", "Not a Viber user", ["viber"]],
];

export class Detail {
  constructor(changed) {
    this.changed = changed;
    this.number = null;
    this.element = h("aside", { class: "detail", "aria-label": "Message", hidden: true });
  }

  async show(wanted) {
    if (!wanted) {
      this.number = null;
      this.element.hidden = true;
      this.element.replaceChildren();
      return;
    }
    let shown;
    try {
      shown = await get("/message", { number: wanted });
    } catch {
      location.hash = "#/messages";
      return;
    }
    const { incoming } = await get("/incoming", { sender: shown.message.recipient, limit: 20 });
    if (this.number !== wanted) this.build(shown.message);
    this.update(shown, incoming);
  }

  build(message) {
    this.number = message.number;
    this.parts = {};
    for (const name of ["head", "bar", "chat", "outcome", "story", "anatomy", "facts", "raw"]) {
      this.parts[name] = h("div", { class: name });
    }
    const chat = { tabindex: "0", role: "log", "aria-label": "Conversation" };
    for (const [name, value] of Object.entries(chat)) this.parts.chat.setAttribute(name, value);
    const text = h("input", {
      name: "reply",
      "aria-label": `Reply as ${phone(message.recipient)}`,
      placeholder: "Reply from this phone…",
      maxlength: 2000,
      autocomplete: "off",
      required: true,
    });
    const reply = h(
      "form",
      {
        class: "reply",
        onsubmit: async (event) => {
          event.preventDefault();
          const given = { text: text.value, sender: message.recipient };
          if (/^\d+$/.test(message.sender)) given.recipient = message.sender;
          if (await act("POST", "/incoming", given, "The reply is in Sms/In")) text.value = "";
        },
      },
      text,
      h("button", { class: "primary", type: "submit" }, "Reply"),
    );
    this.element.replaceChildren(
      this.parts.head,
      h("div", { class: `phone ${message.channel}` }, this.parts.bar, this.parts.chat, reply),
      this.parts.outcome,
      section("Delivery", this.parts.story),
      section("Text", this.parts.anatomy),
      section("Details", this.parts.facts),
      section("Request as received", this.parts.raw),
    );
    this.element.hidden = false;
    this.element.scrollTo({ top: 0 });
  }

  update({ message, anatomy, story, request }, incoming) {
    const { parts } = this;
    fill(parts.head, [message.number, message.status], () => [
      h("h2", {}, `Message ${message.number}`),
      pill(message.status),
      h("span", { class: "gap" }),
      h(
        "button",
        {
          type: "button",
          class: "quiet danger",
          onclick: async () => {
            if (await act("DELETE", "/messages", { number: message.number }, "The message is deleted")) {
              location.hash = "#/messages";
            }
          },
        },
        "Delete",
      ),
      h("a", { class: "button quiet", href: "#/messages", "aria-label": "Close the message" }, "✕"),
    ]);
    fill(parts.bar, message.sender, () => [
      h("span", { class: "avatar", "aria-hidden": "true" }, [...message.sender][0]?.toUpperCase() ?? "?"),
      h("div", {}, h("b", {}, message.sender), h("small", {}, `to ${phone(message.recipient)}`)),
      h("span", { class: "gap" }),
      channelBadge(message.channel),
    ]);
    fill(parts.chat, [message, anatomy, incoming], () => [
      h("p", { class: "stamp" }, time(message.created_at, { withDay: true })),
      h("div", { class: `bubble in ${message.channel}`, dir: "auto" }, bubbleText(message, anatomy)),
      h("p", { class: "receipt" }, `${message.status}`),
      [...incoming]
        .reverse()
        .filter((reply) => reply.created_at >= message.created_at)
        .map((reply) => [
          h("div", { class: "bubble out", dir: "auto" }, reply.text),
          h("p", { class: "receipt out" }, time(reply.created_at)),
        ]),
    ]);
    fill(parts.outcome, [message.channel, message.fate, message.status], () => [
      h("span", { class: "label", id: "outcome-label" }, "Make it"),
      h(
        "div",
        { class: "buttons", role: "group", "aria-labelledby": "outcome-label" },
        OUTCOMES.filter(([, , channels]) => channels.includes(message.channel)).map(([fate, label]) =>
          h(
            "button",
            {
              type: "button",
              "data-fate": fate,
              onclick: () => act("POST", "/messages", { number: message.number, fate }, `Now ${label.toLowerCase()}`),
            },
            label,
          ),
        ),
      ),
    ]);
    fill(parts.story, [story, message.resent_as, message.resent_from], () => [
      h(
        "ol",
        { class: "timeline" },
        story.map((step, index) =>
          h(
            "li",
            { class: step.reached ? tone(step.status) : "coming" },
            h("b", {}, step.status),
            h("span", { class: "muted" }, ` ${step.meaning === step.status ? "" : `${step.meaning} · `}state ${step.state}`),
            h(
              "span",
              { class: "when" },
              index ? h("span", { title: step.at }, `+${duration(step.seconds)}`) : time(step.at),
              step.reached ? null : " · to come",
            ),
          ),
        ),
      ),
      message.resent_as
        ? h("p", { class: "relation" }, "Resent as SMS: ", link(message.resent_as))
        : message.resent_from
          ? h("p", { class: "relation" }, "Sent in place of Viber: ", link(message.resent_from))
          : null,
    ]);
    fill(parts.anatomy, [message.channel, anatomy], () => anatomyOf(message, anatomy));
    fill(parts.facts, [message.message_ids, message.send_at, message.fate, message.price], () =>
      h(
        "dl",
        { class: "facts" },
        fact("Operation", h("code", {}, message.operation)),
        fact("Price", money(message.price)),
        message.send_at > message.created_at ? fact("Scheduled for", time(message.send_at, { withDay: true })) : null,
        fact("Fate", message.fate),
        message.optional ? fact("Optional", message.optional) : null,
        fact(message.message_ids.length > 1 ? "Ids" : "Id", message.message_ids.map((id) => h("code", {}, id))),
      ),
    );
    fill(parts.raw, request, () =>
      request
        ? [
            h("pre", { tabindex: "0", "aria-label": "Request as received" }, request.raw),
            h("p", { class: "muted" }, `Answered ${request.status}${request.code ? `, Code ${request.code}` : ""}`),
          ]
        : h("p", { class: "muted" }, "No request is known for this message."),
    );
  }
}

const section = (title, content) => h("section", {}, h("h3", {}, title), content);

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

const link = (number) => h("a", { href: `#/messages/${number}` }, `message ${number}`);

/** Return a message's text in pieces: runs that force UCS-2 are marked, and so is each segment's beginning. */
function bubbleText({ text, channel }, { segments, blockers }) {
  if (channel === "viber") return [text];
  const forced = new Set(blockers.flatMap(({ position, character }) => range(position, character.length)));
  const cuts = new Map(segments.slice(1).map(({ start }, index) => [start, index + 2]));
  const pieces = [];
  let start = 0;
  const flush = (end) => {
    if (end > start) {
      const run = text.slice(start, end);
      pieces.push(forced.has(start) ? h("mark", { title: "forces UCS-2" }, run) : run);
    }
    start = end;
  };
  for (let at = 0; at < text.length; at += 1) {
    if (forced.has(at) !== forced.has(start)) flush(at);
    if (cuts.has(at)) {
      flush(at);
      const count = cuts.get(at);
      pieces.push(h("span", { class: "cut", role: "img", "aria-label": `segment ${count} begins` }, String(count)));
    }
  }
  flush(text.length);
  return pieces;
}

const range = (from, length) => Array.from({ length }, (_, index) => from + index);

function anatomyOf(message, anatomy) {
  if (message.channel === "viber") {
    return h("p", { class: "muted" }, `${plural([...message.text].length, "character")} of 1000. Viber knows no segments.`);
  }
  const kinds = new Map();
  for (const blocker of anatomy.blockers) {
    const seen = kinds.get(blocker.character);
    if (seen) seen.count += 1;
    else kinds.set(blocker.character, { ...blocker, count: 1 });
  }
  const shown = [...kinds.values()].slice(0, 8);
  return [
    h(
      "div",
      { class: "meters" },
      anatomy.segments.map(({ units }, index) =>
        h(
          "div",
          { class: "meter" },
          h("meter", { min: 0, max: anatomy.capacity, value: units, "aria-label": `Segment ${index + 1}` }),
          h("small", {}, `${index + 1} · ${units}/${anatomy.capacity}`),
        ),
      ),
    ),
    h("p", {}, `${message.encoding}, ${plural(anatomy.segments.length, "segment")}, ${plural(anatomy.remaining, "unit")} left in the last.`),
    shown.length
      ? [
          h("p", {}, "Forced into UCS-2 by:"),
          h(
            "ul",
            { class: "blockers" },
            shown.map(({ character, name, replacement, count }) =>
              h(
                "li",
                { title: name },
                h("mark", {}, character),
                h("small", {}, count > 1 ? ` ×${count}` : ""),
                h("span", { class: "muted" }, replacement ? ` → ${replacement}` : " → nothing"),
              ),
            ),
            kinds.size > shown.length ? h("li", { class: "muted" }, `and ${kinds.size - shown.length} more`) : null,
          ),
          anatomy.savings > 0
            ? h("p", { class: "tip" }, `Replaced (transliterate=yes), it would take ${plural(anatomy.segments.length - anatomy.savings, "segment")}.`)
            : null,
        ]
      : null,
  ];
}
