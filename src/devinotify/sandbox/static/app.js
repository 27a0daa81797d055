// The frame: views by the address, live updates, figures at a glance, keys and the theme.

import { read, written } from "./address.js";
import { get } from "./api.js";
import { fill, h, money, number, toast } from "./dom.js";
import { Inbox } from "./inbox.js";
import { Faults } from "./faults.js";
import { Replies } from "./replies.js";
import { Requests } from "./requests.js";
import { Settings } from "./settings.js";

const byId = (id) => document.getElementById(id);

const inbox = new Inbox();
const views = {
  messages: inbox,
  incoming: new Replies(),
  faults: new Faults(),
  requests: new Requests(),
  settings: new Settings(),
};
const names = Object.keys(views);
let current = null;

function route() {
  const { view, open, filters } = read();
  const name = names.includes(view) ? view : "messages";
  if (name === "messages") inbox.take(open, filters);
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (current !== views[name]) {
    current = views[name];
    byId("content").replaceChildren(current.element);
    byId("content").scrollTo({ top: 0 });
  }
  return refresh();
}

// One refresh at a time; what changes meanwhile makes one more.

let wanted = false;
let running = null;

/** Draw what the address names as it is now; resolves when that is shown. */
function refresh() {
  wanted = true;
  running ??= draw().finally(() => (running = null));
  return running;
}

async function draw() {
  let shown;
  while (wanted) {
    wanted = false;
    shown = location.hash;
    try {
      const statistics = await get("/statistics");
      const page = await current.refresh(statistics);
      showFigures(statistics, page ?? (await get("/inbox", { limit: 0 })));
    } catch (failure) {
      if (byId("live").dataset.state === "live") toast(failure.message, true);
    }
  }
  document.body.dataset.shown = shown;
}

inbox.changed = refresh;
inbox.routed = route;

function showFigures({ total, status, segments, balance, incoming, faults }, { all, unread, refused }) {
  const delivered = (status.delivered ?? 0) + (status.read ?? 0);
  const open = (status.queued ?? 0) + (status.sent ?? 0);
  const failed = total - delivered - open - (status.unknown ?? 0);
  byId("count-messages").textContent = number(unread || all);
  byId("count-messages").classList.toggle("new", unread > 0);
  byId("count-messages").title = `${number(all)} in all, ${number(unread)} unread`;
  byId("count-incoming").textContent = number(incoming);
  byId("count-faults").textContent = number(faults);
  byId("count-faults").classList.toggle("bad", faults > 0);
  document.title = unread ? `(${unread}) devinotify sandbox` : "devinotify sandbox";
  const figures = [
    ["Delivered", number(delivered), "good"],
    ["Under way", number(open), "open"],
    ["Failed", number(failed), failed ? "bad" : ""],
    ...(refused ? [["Refused", number(refused), "bad"]] : []),
    ["Segments", number(segments), "spare"],
    ["Balance", money(balance), ""],
  ];
  fill(byId("figures"), figures, () =>
    figures.map(([name, value, tone]) => h("div", { class: tone }, h("dt", {}, name), h("dd", {}, value))),
  );
}

// Live updates.

const RETRY = 3000;

/** Follow the stream; one that was refused, which a browser gives up, is asked for again. */
function listen() {
  const events = new EventSource("/sandbox/events");
  const say = (state, text) => {
    byId("live").dataset.state = state;
    byId("live").textContent = text;
  };
  events.addEventListener("open", () => say("live", "Live"));
  events.addEventListener("change", refresh);
  events.addEventListener("error", () => {
    say("lost", "Reconnecting");
    if (events.readyState === EventSource.CLOSED) setTimeout(() => refresh().then(listen), RETRY);
  });
}

// Keys.

const actions = {
  "/": () => {
    if (current !== inbox) location.hash = written("messages");
    inbox.search.focus();
    inbox.search.select();
  },
  "?": () => byId("help").showModal(),
  Escape: () => {
    if (current === inbox && inbox.open) inbox.close();
  },
};

const inInbox = {
  j: () => inbox.step(1),
  ArrowDown: () => inbox.step(1),
  k: () => inbox.step(-1),
  ArrowUp: () => inbox.step(-1),
  u: () => inbox.turn(),
  x: () => inbox.forget(),
  Delete: () => inbox.forget(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.closest("input, textarea, select");
  if (typing) {
    if (event.key === "Escape") typing.blur();
    return;
  }
  // Arrows scroll what has the focus and can be scrolled.
  if (event.key.startsWith("Arrow") && event.target.closest("[tabindex='0']")) return;
  const action = actions[event.key] ?? (current === inbox ? inInbox[event.key] : undefined);
  if (action) {
    event.preventDefault();
    action();
  } else if (names[event.key - 1]) {
    location.hash = `#/${names[event.key - 1]}`;
  }
});

byId("keys").addEventListener("click", actions["?"]);

// The theme: the system's, or one that was chosen here.

const THEMES = ["auto", "light", "dark"];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  for (const name of ["aria-label", "title"]) byId("theme").setAttribute(name, `Theme: ${theme}`);
  localStorage.setItem("theme", theme);
}

byId("theme").addEventListener("click", () => {
  setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]);
});
const stored = localStorage.getItem("theme");
setTheme(THEMES.includes(stored) ? stored : "auto");

addEventListener("hashchange", route);
route();
listen();
