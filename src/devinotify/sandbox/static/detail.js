// One message: as a phone shows it, what it cost, what became of it, and how it came in.

import { act, curl, get } from "./api.js";
import { channelBadge, confirmed, copier, duration, fill, h, money, phone, pill, plural, time, toast, tone } from "./dom.js";
import { decoded } from "./requests.js";

const OUTCOMES = [
  ["delivered", "Delivered", ["sms", "viber"]],
  ["read", "Read", ["viber"]],
  ["expired", "Expired", ["sms", "viber"]],
  ["rejected", "Rejected", ["sms", "viber"]],
  ["not-a-viber-user", "Not a Viber user", ["viber"]],
];

const RELEASED = {
  sending: ["open", "being released"],
  accepted: ["good", "released: accepted"],
  rejected: ["bad", "released: rejected"],
  not_sent: ["bad", "release: not sent"],
  unknown: ["odd", "released: unknown whether it was sent"],
};

export class Detail {
  /** ``inbox`` is where it is opened from, and closed to. */
  constructor(inbox) {
    this.inbox = inbox;
    this.key = null;
    this.element = h("aside", { class: "detail", "aria-label": "Message", tabindex: "-1", hidden: true });
  }

  async show(wanted, tags) {
    if (!wanted) {
      this.key = null;
      this.element.hidden = true;
      this.element.replaceChildren();
      return;
    }
    let shown;
    try {
      shown = await get("/entry", { key: wanted });
    } catch (failure) {
      if (failure.status !== 404) throw failure;
      // Another window may have deleted it.
      if (this.key === wanted) toast("The message that was open is gone");
      this.inbox.go("", { replace: true });
      return;
    }
    const incoming = shown.message
      ? (await get("/incoming", { sender: shown.message.recipient, limit: 20 })).incoming
      : [];
    const opened = this.key !== wanted;
    if (opened) this.build(shown);
    this.update(shown, incoming, tags);
    // On a narrow screen the row that had the focus is not there while this is.
    if (opened && !this.inbox.list.offsetParent) this.element.focus();
    if (opened && !shown.entry.read) await act("POST", "/inbox", { key: wanted, read: true });
  }

  build({ entry, message }) {
    this.key = entry.key;
    this.parts = {};
    for (const name of ["head", "status", "doing", "tags", "bar", "chat", "refusal", "outcome", "story", "anatomy", "facts", "raw"]) {
      this.parts[name] = h("div", { class: name });
    }
    const chat = { tabindex: "0", role: "log", "aria-label": "Conversation" };
    for (const [name, value] of Object.entries(chat)) this.parts.chat.setAttribute(name, value);
    const content = [
      this.parts.head,
      h(
        "div",
        { class: `phone ${entry.channel}${message ? "" : " refused"}` },
        this.parts.bar,
        this.parts.chat,
        message ? replyForm(message) : null,
      ),
      message ? this.parts.outcome : this.parts.refusal,
      this.parts.doing,
      this.parts.tags,
      message ? section("Delivery", this.parts.story) : null,
      section("Text", this.parts.anatomy),
      section("Details", this.parts.facts),
      section("Request as received", this.parts.raw),
    ];
    this.element.replaceChildren(...content.filter(Boolean));
    this.element.hidden = false;
    this.element.scrollTo({ top: 0 });
  }

  update({ entry, message, anatomy, story, request, releasable }, incoming, tags) {
    const { parts } = this;
    fill(parts.head, entry.key, () => [
      h("h2", {}, message ? `Message ${entry.number}` : "Refused send"),
      parts.status,
      h("span", { class: "gap" }),
      h("button", { type: "button", class: "quiet danger", onclick: () => this.inbox.forgetOne(entry.key) }, "Delete"),
      h("button", { type: "button", class: "quiet", "aria-label": "Close the message", onclick: () => this.inbox.close() }, "✕"),
    ]);
    // Apart from the buttons, one of which may have the focus.
    fill(parts.status, [entry.status, entry.scheduled], () =>
      entry.scheduled ? h("span", { class: "pill" }, "scheduled") : pill(entry.status),
    );
    fill(parts.doing, [entry.key, entry.released, releasable, Boolean(request)], () => [
      h("button", { type: "button", class: "quiet", onclick: () => this.unread(entry) }, "Mark as unread"),
      request ? copier("Copy as curl", () => curl({ key: entry.key })) : null,
      releasable ? h("button", { type: "button", onclick: (event) => this.release(entry, event.target) }, "Release…") : null,
      entry.released ? h("span", { class: `pill ${RELEASED[entry.released][0]}` }, RELEASED[entry.released][1]) : null,
    ]);
    fill(parts.tags, [entry.key, entry.tags, tags], () => this.tagForm(entry, tags));
    if (this.tagging) parts.tags.querySelector("input").focus();
    this.tagging = false;
    if (!message) this.refused(entry);
    else this.arrived(entry, message, anatomy, story, incoming);
    fill(parts.anatomy, [entry.channel, anatomy], () => anatomyOf(entry, anatomy));
    fill(parts.raw, request, () =>
      request
        ? [
            h("details", {}, h("summary", {}, "Decoded"), decoded(request.parameters)),
            h("pre", { tabindex: "0", "aria-label": "Request as received" }, request.raw),
            h("p", { class: "muted" }, `Answered ${request.status}${request.code ? `, Code ${request.code}` : ""}`),
          ]
        : h("p", { class: "muted" }, "No request is known for this message."),
    );
  }

  async unread(entry) {
    if (await act("POST", "/inbox", { key: entry.key, read: false }, "It is unread")) this.inbox.close();
  }

  async release(entry, button) {
    if (!(await confirmed(`Send this text to ${phone(entry.recipient)} for real, by the account of this sandbox?`, "Release", "Cancel"))) return;
    button.disabled = true;
    const answer = await act("POST", "/release", { number: entry.number });
    if (answer) {
      const [kind, told] = RELEASED[answer.verdict];
      toast(answer.error ? `${told}: ${answer.error}` : told, kind !== "good");
    }
  }

  tagForm(entry, known) {
    const set = (tags) => act("POST", "/inbox", { key: entry.key, tags });
    const added = h("input", { name: "tag", list: "known-tags", "aria-label": "Add a tag", placeholder: "Add a tag…", maxlength: 30, required: true, autocomplete: "off" });
    return [
      entry.tags.map((tag) =>
        h(
          "span",
          { class: "tag" },
          h("button", { type: "button", class: "quiet", onclick: () => this.inbox.find(`tag:${quoted(tag)}`) }, tag),
          h("button", { type: "button", class: "quiet", "aria-label": `Remove the tag ${tag}`, onclick: () => set(entry.tags.filter((one) => one !== tag)) }, "✕"),
        ),
      ),
      h(
        "form",
        {
          onsubmit: async (event) => {
            event.preventDefault();
            this.tagging = true;
            await set([...entry.tags, added.value]);
          },
        },
        added,
        h("datalist", { id: "known-tags" }, known.filter((tag) => !entry.tags.includes(tag)).map((tag) => h("option", { value: tag }))),
      ),
    ];
  }

  refused(entry) {
    const { parts } = this;
    fill(parts.bar, [entry.sender, entry.recipient, entry.recipients], () => bar(entry, entry.recipients > 1 ? ` and ${plural(entry.recipients - 1, "other")}` : ""));
    fill(parts.chat, entry, () => [
      h("p", { class: "stamp" }, time(entry.created_at, { withDay: true })),
      h("div", { class: `bubble in ${entry.channel}`, dir: "auto" }, entry.text || "—"),
      h("p", { class: "receipt" }, "not accepted: it reached no phone"),
    ]);
    fill(parts.refusal, [entry.code, entry.reason], () =>
      h("p", { class: "relation bad" }, h("b", {}, "Refused"), entry.code === null ? "" : ` with Code ${entry.code}`, `: ${entry.reason}`),
    );
    fill(parts.facts, [entry.operation], () =>
      h("dl", { class: "facts" }, fact("Operation", h("code", {}, entry.operation)), fact("Price", "nothing: a refused send costs nothing")),
    );
  }

  arrived(entry, message, anatomy, story, incoming) {
    const { parts } = this;
    fill(parts.bar, message.sender, () => bar(entry));
    fill(parts.chat, [message, entry.scheduled, anatomy, incoming], () => [
      h("p", { class: "stamp" }, time(message.created_at, { withDay: true })),
      h("div", { class: `bubble in ${message.channel}`, dir: "auto" }, bubbleText(message, anatomy)),
      h("p", { class: "receipt" }, entry.scheduled ? ["scheduled for ", time(message.send_at, { withDay: true })] : message.status),
      [...incoming]
        .reverse()
        .filter((reply) => reply.created_at >= message.created_at)
        .map((reply) => [
          h("div", { class: "bubble out", dir: "auto" }, reply.text),
          h("p", { class: "receipt out" }, time(reply.created_at)),
        ]),
    ]);
    fill(parts.outcome, [message.channel, message.fate, message.status], () => [
      h("span", { class: "label", id: "outcome-label" }, "Set status"),
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
  }
}

const section = (title, content) => h("section", {}, h("h3", {}, title), content);

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

/** Return a tag as the search takes it. */
const quoted = (tag) => (/\s/.test(tag) ? `"${tag}"` : tag);

const bar = (entry, more = "") => [
  h("span", { class: "avatar", "aria-hidden": "true" }, [...entry.sender][0]?.toUpperCase() ?? "?"),
  h("div", {}, h("b", {}, entry.sender || "no sender"), h("small", {}, `to ${phone(entry.recipient) || "nobody"}${more}`)),
  h("span", { class: "gap" }),
  channelBadge(entry.channel),
];

function replyForm(message) {
  const text = h("input", {
    name: "reply",
    "aria-label": `Reply as ${phone(message.recipient)}`,
    placeholder: "Reply…",
    maxlength: 2000,
    autocomplete: "off",
    required: true,
  });
  const send = async (said) => {
    const given = { text: said, sender: message.recipient };
    if (/^\d+$/.test(message.sender)) given.recipient = message.sender;
    return act("POST", "/incoming", given, "The reply is in Sms/In");
  };
  return h(
    "form",
    {
      class: "reply",
      onsubmit: async (event) => {
        event.preventDefault();
        if (await send(text.value)) text.value = "";
      },
    },
    text,
    h("button", { class: "primary", type: "submit" }, "Reply"),
    h("button", { class: "quiet", type: "button", onclick: () => send("STOP") }, "STOP"),
  );
}

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
