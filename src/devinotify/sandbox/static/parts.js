// What the views are put together from.

import { h } from "./dom.js";

export function page(title, note, ...content) {
  return h("div", { class: "page" }, h("h1", {}, title), note ? h("p", { class: "lead" }, note) : null, content);
}

export const card = (title, ...content) => h("section", { class: "card" }, h("h2", {}, title), content);

export const given = (form) => Object.fromEntries(new FormData(form));

export function onSubmit(use) {
  return async (event) => {
    event.preventDefault();
    await use(event.target);
  };
}
