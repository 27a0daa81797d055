// The list of messages: filters, pages, and rows that stay in place while their statuses change.

import { act, get } from "./api.js";
import { channelBadge, confirmed, fill, h, money, number, phone, pill, plural, select, time } from "./dom.js";
import { Detail } from "./detail.js";

const PAGE = 50;
const STATUSES = [
  ...["queued", "sent", "delivered", "read", "undelivered", "expired", "rejected", "deleted", "stopped", "failed"],
  "unknown",
];

export class Inbox {
  constructor() {
    this.offset = 0;
    this.rows = new Map();
    this.search = h("input", {
      type: "search",
      id: "search",
      placeholder: "Number or text",
      "aria-label": "Search by number or text",
      "aria-keyshortcuts": "/",
      maxlength: 200,
    });
    const channels = [["", "Channel"], ["sms", "SMS"], ["viber", "Viber"]];
    const statuses = [["", "Status"], ...STATUSES.map((status) => [status, status])];
    this.channel = select(channels, { "aria-label": "Channel", id: "channel" });
    this.sender = select([["", "Sender"]], { "aria-label": "Sender", id: "sender" });
    this.status = select(statuses, { "aria-label": "Status", id: "status" });
    this.reset = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => this.clearFilters() }, "Clear");
    this.list = h("ol", { class: "rows", "aria-label": "Messages", id: "messages" });
    this.pager = h("div", { class: "pager" });
    this.empty = h("div", { class: "empty" });
    this.detail = new Detail(() => this.changed());
    this.deleteAll = h("button", { type: "button", class: "quiet danger", onclick: () => this.forgetAll() }, "Delete all");
    const head = ["Time", "Via", "From → to", "Text", "Segments", "Price", "Status"];
    this.element = h(
      "div",
      { class: "inbox" },
      h(
        "section",
        { class: "list", "aria-label": "Inbox" },
        h("h1", { class: "hidden" }, "Messages"),
        h(
          "form",
          { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() },
          this.search,
          this.channel,
          this.sender,
          this.status,
          this.reset,
          h("span", { class: "gap" }),
          this.deleteAll,
        ),
        h("div", { class: "row head", "aria-hidden": "true" }, head.map((name) => h("span", {}, name))),
        this.list,
        this.empty,
        this.pager,
      ),
      this.detail.element,
    );
    let typing;
    this.search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.filter(), 120);
    });
    for (const control of [this.channel, this.sender, this.status]) {
      control.addEventListener("change", () => this.filter());
    }
  }

  get filters() {
    return {
      search: this.search.value.trim(),
      channel: this.channel.value,
      sender: this.sender.value,
      status: this.status.value,
    };
  }

  filter() {
    this.offset = 0;
    this.changed();
  }

  clearFilters() {
    this.search.value = this.channel.value = this.sender.value = this.status.value = "";
    this.filter();
    this.search.focus();
  }

  /** Ask for the page again; app.js sets what that means. */
  changed() {}

  async forgetAll() {
    if (await confirmed("Delete all messages?", "Delete all")) {
      await act("DELETE", "/messages", {}, "All messages are deleted");
      location.hash = "#/messages";
    }
  }

  async refresh(argument, statistics) {
    const filters = this.filters;
    const filtered = Object.values(filters).some(Boolean);
    const page = await get("/messages", { ...filters, limit: PAGE, offset: this.offset });
    if (!page.messages.length && this.offset && page.total) {
      this.offset = 0;
      return this.refresh(argument, statistics);
    }
    this.reset.hidden = !filtered;
    this.deleteAll.hidden = !statistics.total;
    this.showSenders(statistics.senders);
    const open = Number(argument) || null;
    this.showRows(page.messages, open);
    this.showPager(page);
    this.element.classList.toggle("blank", !page.total && !filtered);
    await this.showEmpty(page.total, filtered);
    this.element.classList.toggle("open", Boolean(open));
    await this.detail.show(open);
  }

  showSenders(senders) {
    const chosen = this.sender.value;
    const shown = chosen && !senders.includes(chosen) ? [chosen, ...senders] : senders;
    fill(this.sender, shown, () => [
      h("option", { value: "" }, "Sender"),
      ...shown.map((sender) => h("option", { value: sender }, sender)),
    ]);
    this.sender.value = chosen;
  }

  showRows(messages, open) {
    const focused = document.activeElement?.dataset?.number;
    const rows = messages.map((message) => {
      const known = this.rows.get(message.number);
      const row = known ?? h("a", { class: "row", href: `#/messages/${message.number}`, "data-number": message.number });
      fill(row, message, () => this.cells(message));
      if (message.number === open) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
      return row;
    });
    this.rows = new Map(messages.map((message, index) => [message.number, rows[index]]));
    const order = messages.map((message) => message.number).join();
    if (this.order === order) return;
    this.order = order;
    this.list.replaceChildren(...rows.map((row) => h("li", {}, row)));
    if (focused) this.rows.get(Number(focused))?.focus({ preventScroll: true });
  }

  cells(message) {
    return [
      h("span", { class: "when" }, time(message.created_at)),
      h("span", {}, channelBadge(message.channel)),
      h(
        "span",
        { class: "who" },
        h("span", { class: "from" }, message.sender),
        h("span", { class: "arrow", "aria-hidden": "true" }, " → "),
        h("span", { class: "hidden" }, "to "),
        h("span", { class: "to" }, phone(message.recipient)),
      ),
      h("span", { class: "text", dir: "auto" }, message.text),
      h(
        "span",
        { class: "size" },
        message.channel === "viber"
          ? h("span", { class: "muted" }, "—")
          : [h("b", {}, message.segments), " ", h("span", { class: "muted" }, message.encoding)],
      ),
      h("span", { class: "price" }, money(message.price)),
      h("span", {}, pill(message.status)),
    ];
  }

  showPager({ total, messages }) {
    const go = (offset) => () => {
      this.offset = offset;
      this.changed();
      this.list.scrollTo({ top: 0 });
    };
    fill(this.pager, [total, messages.length, this.offset], () =>
      total > messages.length
        ? [
            h("button", { type: "button", disabled: !this.offset, onclick: go(Math.max(0, this.offset - PAGE)) }, "Newer"),
            h("span", {}, `${number(this.offset + 1)}–${number(this.offset + messages.length)} of ${number(total)}`),
            h("button", { type: "button", disabled: this.offset + PAGE >= total, onclick: go(this.offset + PAGE) }, "Older"),
          ]
        : total
          ? [h("span", {}, plural(total, "message"))]
          : [],
    );
  }

  async showEmpty(total, filtered) {
    if (total) return fill(this.empty, null, () => []);
    if (filtered) return fill(this.empty, "none", () => [h("p", {}, "No message fits these filters.")]);
    const lines = await get("/examples");
    fill(this.empty, lines, () => [
      h("img", { src: "/static/icon.svg", alt: "", width: 56, height: 56 }),
      h("h2", {}, "Nothing has arrived yet"),
      h("p", {}, "Send the first message: it goes nowhere but here."),
      example("In a shell", lines.curl, "curl"),
      example("In Python", lines.python, "python"),
      example("Without a session, as v2 has it", lines.v2, "v2"),
      h("p", { class: "muted" }, "Anything that takes a URL: ", h("code", {}, lines.url)),
    ]);
  }

  /** Move the focus by so many rows. */
  step(by) {
    const rows = [...this.rows.values()];
    const at = rows.indexOf(document.activeElement);
    const current = at >= 0 ? at : rows.findIndex((row) => row.hasAttribute("aria-current"));
    const next = rows[current < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, current + by))];
    next?.focus();
    if (next && this.element.classList.contains("open") && matchMedia("(min-width: 60rem)").matches) {
      location.replace(next.getAttribute("href"));
    }
  }

  /** Delete the message that has the focus, or the one that is open. */
  async forget(open) {
    const focused = Number(document.activeElement?.dataset?.number) || open;
    if (!focused) return;
    const numbers = [...this.rows.keys()];
    const next = numbers[numbers.indexOf(focused) + 1] ?? numbers[numbers.indexOf(focused) - 1];
    if (!(await act("DELETE", "/messages", { number: focused }, "The message is deleted"))) return;
    this.rows.get(next)?.focus();
    if (focused === open) location.hash = next ? `#/messages/${next}` : "#/messages";
  }
}

function example(title, lines, name) {
  const copy = h(
    "button",
    {
      type: "button",
      class: "quiet",
      "aria-label": `Copy the lines: ${title}`,
      onclick: async () => {
        await navigator.clipboard.writeText(lines);
        copy.textContent = "Copied";
      },
    },
    "Copy",
  );
  return h(
    "figure",
    { class: "example" },
    h("figcaption", {}, title, copy),
    h("pre", { id: `example-${name}`, tabindex: "0", "aria-label": title }, lines),
  );
}
