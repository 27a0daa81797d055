// Elements made without markup: whatever a message says, it stays text.

/** Return an element: h("p", {class: "note", onclick: f}, "text", child, [more]). */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Put new children into an element only where what they show has changed, so that focus and selection stay. */
export function fill(element, data, build) {
  const key = JSON.stringify(data);
  if (element.dataset.shown === key) return;
  element.dataset.shown = key;
  element.replaceChildren(...[build()].flat(Infinity).filter(Boolean));
}

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });

const minutes = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/**
 * Return an instant as people read it here, with the exact one on hover; ``short`` leaves the seconds out, ``brief``
 * does where the day has to be said.
 */
export function time(iso, { withDay = false, short = false, brief = false } = {}) {
  const moment = new Date(iso);
  const dated = withDay || new Date().toDateString() !== moment.toDateString();
  const hour = (short || (brief && dated) ? minutes : clock).format(moment);
  return h("time", { datetime: iso, title: iso, class: dated && "dated" }, dated ? `${day.format(moment)} ${hour}` : hour);
}

/** Return seconds as "+0.2 s", "+1 min" or "+2 h 5 min". */
export function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 >= 1 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}

const groups = new Intl.NumberFormat("en", { useGrouping: true });

/** Return a decimal string with its thousands apart. */
export function money(value) {
  const [whole, cents = "00"] = value.split(".");
  return `${groups.format(BigInt(whole)).replaceAll(",", "\u202f")}.${cents.padEnd(2, "0").slice(0, 2)}`;
}

export const number = (value) => groups.format(value).replaceAll(",", "\u202f");

export const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;

/** Return a phone number with its groups apart: +7 916 123-45-67. */
export function phone(digits) {
  const russian = /^\+?7(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(digits);
  return russian ? `+7 ${russian[1]} ${russian[2]}-${russian[3]}-${russian[4]}` : digits;
}

const GOOD = new Set(["delivered", "read"]);
const OPEN = new Set(["queued", "sent"]);

/** Return what a status is like: good, open, odd or bad. */
export function tone(status) {
  if (GOOD.has(status)) return "good";
  if (OPEN.has(status)) return "open";
  return status === "unknown" ? "odd" : "bad";
}

export const pill = (status) => h("span", { class: `pill ${tone(status)}` }, status);

export const channelBadge = (channel) =>
  h("span", { class: `channel ${channel}` }, channel === "viber" ? "Viber" : "SMS");

/** Return a labelled field. */
export function field(label, control, hint) {
  return h("label", { class: "field" }, h("span", {}, label), control, hint ? h("small", {}, hint) : null);
}

export function select(options, properties = {}) {
  return h(
    "select",
    properties,
    options.map(([value, label]) => h("option", { value: value === "" ? "" : value }, label)),
  );
}

/** Return a button that copies what ``text`` returns or promises; nothing is copied where that is nothing. */
export function copier(label, text, name = label) {
  const button = h(
    "button",
    {
      type: "button",
      class: "quiet",
      "aria-label": name,
      onclick: async () => {
        const copied = await text();
        if (!copied) return;
        await navigator.clipboard.writeText(copied);
        button.textContent = "Copied";
        setTimeout(() => (button.textContent = label), 2000);
      },
    },
    label,
  );
  return button;
}

/** Say something for a few seconds. */
export function toast(text, bad = false) {
  const note = h("div", { class: bad ? "toast bad" : "toast" }, text);
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), bad ? 8000 : 3000);
}

/** Ask, and resolve to whether the answer is yes. */
export function confirmed(question, yes, no = "Keep") {
  const dialog = document.getElementById("confirm");
  document.getElementById("confirm-title").textContent = question;
  document.getElementById("confirm-yes").textContent = yes;
  document.getElementById("confirm-no").textContent = no;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
