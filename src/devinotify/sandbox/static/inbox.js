// The list: filters, pages, and rows that stay in place while their statuses change.

import { read, written } from "./address.js";
import { act, get } from "./api.js";
import { channelBadge, confirmed, copier, fill, h, money, number, phone, pill, plural, select, time } from "./dom.js";
import { Detail } from "./detail.js";

const PAGE = 50;
const STATUSES = [
  ...["queued", "sent", "delivered", "read", "undelivered", "expired", "rejected", "deleted", "stopped", "failed"],
  ...["unknown", "refused"],
];
const FILTERS = ["search", "channel", "sender", "status"];

export class Inbox {
  constructor() {
    this.offset = 0;
    this.open = "";
    this.rows = new Map();
    this.pending = null;
    this.search = h("input", {
      type: "search",
      id: "search",
      placeholder: "Words, numbers, to: status: -word",
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
    this.detail = new Detail(this);
    this.readAll = h("button", { type: "button", class: "quiet", onclick: () => this.markAll() }, "Mark as read");
    this.csv = h("a", { class: "button quiet", download: "inbox.csv", "aria-label": "Export as CSV" }, "CSV");
    this.json = h("a", { class: "button quiet", download: "inbox.json", "aria-label": "Export as JSON" }, "JSON");
    this.deleteAll = h("button", { type: "button", class: "quiet danger", onclick: () => this.forgetAll() }, "Delete all");
    this.tools = h("div", { class: "actions" }, this.readAll, this.csv, this.json, this.deleteAll);
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
          this.tools,
        ),
        h("div", { class: "row head", "aria-hidden": "true" }, head.map((name) => h("span", {}, name))),
        this.list,
        this.empty,
        this.pager,
      ),
      this.detail.element,
    );
    this.search.addEventListener("input", () => {
      clearTimeout(this.pending);
      this.pending = setTimeout(() => this.filter({ typing: true }), 120);
    });
    // What is typed in one go is one step back, and is taken up whole before what the reader does next.
    this.search.addEventListener("change", () => {
      if (this.pending) this.filter({ typing: true });
      this.typing = false;
    });
    for (const control of [this.channel, this.sender, this.status]) {
      control.addEventListener("change", () => this.filter());
    }
  }

  get filters() {
    return Object.fromEntries(FILTERS.map((name) => [name, this[name].value.trim()]));
  }

  /** Show what the address names. */
  take(open, given) {
    this.open = open;
    this.offset = Math.max(0, (Number(given.page) || 1) - 1) * PAGE;
    for (const name of FILTERS) {
      const value = given[name] ?? "";
      if (this[name].value.trim() === value) continue;
      // A sender that is no more is still what was asked for.
      if (name === "sender" && ![...this.sender.options].some((one) => one.value === value)) {
        this.sender.append(h("option", { value }, value));
      }
      this[name].value = value;
    }
  }

  address(open = "", offset = this.offset) {
    return written("messages", open, { ...this.filters, page: offset ? String(offset / PAGE + 1) : "" });
  }

  /**
   * Go to another address of this view; with ``replace`` the one before cannot be gone back to.
   * Resolves when what it names is shown, and nothing of the one before is asked for any more.
   */
  go(open = "", { replace = false, offset = this.offset } = {}) {
    const address = this.address(open, offset);
    if (address !== location.hash) history[replace ? "replaceState" : "pushState"](null, "", address);
    const shown = this.routed();
    // A row that is pressed before the list is drawn anew leads back to no search of before.
    for (const [key, row] of this.rows) row.setAttribute("href", this.address(key));
    return shown;
  }

  filter({ typing = false } = {}) {
    clearTimeout(this.pending);
    this.pending = null;
    // What was typed is taken up a moment later: the reader may have gone elsewhere, or opened a message, meanwhile.
    if (!this.element.isConnected) return;
    const replace = typing && this.typing;
    this.typing = typing;
    this.go(read().open, { replace, offset: 0 });
  }

  clearFilters() {
    for (const name of FILTERS) this[name].value = "";
    this.filter();
    this.search.focus();
  }

  /** Look for a tag, a sender… as if it had been typed. */
  find(search) {
    this.search.value = search;
    this.filter();
  }

  /** Ask for the page again, and follow the address; app.js sets what these mean. */
  changed() {}

  routed() {}

  get filtered() {
    return Object.values(this.filters).some(Boolean);
  }

  async markAll() {
    const marked = await act("POST", "/inbox", { ...this.given, read: true });
    if (marked) this.changed();
  }

  get given() {
    return Object.fromEntries(Object.entries(this.filters).filter(([, value]) => value));
  }

  async forgetAll() {
    const some = this.filtered;
    const question = some ? `Delete ${plural(this.total, "message")} that fit these filters?` : "Delete all messages?";
    if (await confirmed(question, some ? `Delete ${number(this.total)}` : "Delete all")) {
      await this.go();
      await act("DELETE", "/inbox", this.given, some ? "What fitted is deleted" : "All messages are deleted");
    }
  }

  async refresh(statistics) {
    const page = await get("/inbox", { ...this.filters, limit: PAGE, offset: this.offset });
    if (!page.entries.length && this.offset && page.total) {
      this.offset = 0;
      return this.refresh(statistics);
    }
    const { filtered } = this;
    this.total = page.total;
    this.reset.hidden = !filtered;
    this.tools.hidden = !page.all;
    this.deleteAll.textContent = filtered && page.total ? `Delete ${number(page.total)} found` : "Delete all";
    this.deleteAll.disabled = !page.total;
    this.readAll.disabled = !page.total || !page.unread;
    this.showExports();
    this.showSenders(statistics.senders);
    this.showRows(page.entries);
    this.showPager(page);
    this.element.classList.toggle("blank", !page.all && !filtered);
    await this.showEmpty(page, filtered);
    this.element.classList.toggle("open", Boolean(this.open));
    await this.detail.show(this.open, page.tags);
    return page;
  }

  showExports() {
    const query = new URLSearchParams(this.given).toString();
    for (const [kind, link] of [["csv", this.csv], ["json", this.json]]) {
      link.setAttribute("href", `/sandbox/export.${kind}${query ? `?${query}` : ""}`);
    }
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

  showRows(entries) {
    const focused = document.activeElement?.dataset?.number;
    const rows = entries.map((entry) => {
      const row = this.rows.get(entry.key) ?? h("a", { class: "row", "data-number": entry.key });
      row.setAttribute("href", this.address(entry.key));
      row.classList.toggle("unread", !entry.read);
      row.classList.toggle("scheduled", entry.scheduled);
      fill(row, entry, () => this.cells(entry));
      if (entry.key === this.open) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
      return row;
    });
    this.rows = new Map(entries.map((entry, index) => [entry.key, rows[index]]));
    const order = entries.map((entry) => entry.key).join();
    if (this.order === order) return;
    this.order = order;
    this.list.replaceChildren(...rows.map((row) => h("li", {}, row)));
    if (focused) this.rows.get(focused)?.focus({ preventScroll: true });
  }

  cells(entry) {
    const refused = entry.status === "refused";
    return [
      h("span", { class: "when" }, entry.read ? null : h("span", { class: "hidden" }, "Unread. "), time(entry.created_at, { brief: true })),
      h("span", {}, channelBadge(entry.channel)),
      h(
        "span",
        { class: "who" },
        h("span", { class: "from" }, entry.sender || "—"),
        h("span", { class: "arrow", "aria-hidden": "true" }, " → "),
        h("span", { class: "hidden" }, "to "),
        h("span", { class: "to" }, phone(entry.recipient) || "—"),
        entry.recipients > 1 ? h("span", { class: "muted" }, ` +${number(entry.recipients - 1)}`) : null,
      ),
      h(
        "span",
        { class: "text", dir: "auto" },
        entry.scheduled ? h("span", { class: "due" }, "for ", time(entry.send_at, { short: true })) : null,
        entry.tags.map((tag) => [h("span", { class: "tag" }, tag), " "]),
        entry.text,
      ),
      h(
        "span",
        { class: "size" },
        entry.channel === "viber"
          ? h("span", { class: "muted" }, "—")
          : [h("b", {}, entry.segments), " ", h("span", { class: "muted" }, entry.encoding)],
      ),
      h("span", { class: "price" }, refused ? "—" : money(entry.price)),
      h(
        "span",
        { title: entry.reason || null },
        entry.scheduled ? h("span", { class: "pill" }, "scheduled") : pill(entry.status),
      ),
    ];
  }

  showPager({ total, entries }) {
    const go = (offset) => () => {
      this.go(this.open, { offset });
      this.list.scrollTo({ top: 0 });
    };
    fill(this.pager, [total, entries.length, this.offset, this.filters], () =>
      total > entries.length
        ? [
            h("button", { type: "button", disabled: !this.offset, onclick: go(Math.max(0, this.offset - PAGE)) }, "Newer"),
            h("span", {}, `${number(this.offset + 1)}–${number(this.offset + entries.length)} of ${number(total)}`),
            h("button", { type: "button", disabled: this.offset + PAGE >= total, onclick: go(this.offset + PAGE) }, "Older"),
          ]
        : total
          ? [h("span", {}, plural(total, "message"))]
          : [],
    );
  }

  async showEmpty({ total, all }, filtered) {
    if (total) return fill(this.empty, null, () => []);
    if (filtered || all) return fill(this.empty, "none", () => [h("p", {}, "No message fits these filters.")]);
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
      this.go(next.dataset.number, { replace: true });
    }
  }

  /** Close what is open, and give its row the focus, once there is a list again. */
  async close() {
    const { open } = this;
    await this.go();
    this.rows.get(open)?.focus();
  }

  /** Delete the message that has the focus, or the one that is open. */
  async forget() {
    const focused = document.activeElement?.dataset?.number || this.open;
    if (!focused) return;
    const next = this.beside(focused);
    // Closed first: nobody asks for what is gone.
    if (focused === this.open) await this.go(next);
    if (await act("DELETE", "/inbox", { key: focused }, "The message is deleted")) this.rows.get(next)?.focus();
  }

  async forgetOne(key) {
    const next = this.beside(key);
    await this.go();
    if (await act("DELETE", "/inbox", { key }, "The message is deleted")) this.rows.get(next)?.focus();
  }

  /** Return the key of the message below, or of the one above the last. */
  beside(key) {
    const keys = [...this.rows.keys()];
    const at = keys.indexOf(key);
    return keys[at + 1] ?? keys[at - 1];
  }

  /** Mark the message that has the focus, or the one that is open, as unread, or as read again. */
  async turn() {
    const focused = document.activeElement?.dataset?.number || this.open;
    const row = this.rows.get(focused);
    if (row) await act("POST", "/inbox", { key: focused, read: row.classList.contains("unread") });
  }
}

function example(title, lines, name) {
  return h(
    "figure",
    { class: "example" },
    h("figcaption", {}, title, copier("Copy", () => lines, `Copy the lines: ${title}`)),
    h("pre", { id: `example-${name}`, tabindex: "0", "aria-label": title }, lines),
  );
}
