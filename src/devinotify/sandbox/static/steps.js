// A timeline as a grid: after how many seconds a message is in which state, by the states' names.

import { h, select } from "./dom.js";

export class Steps {
  /** ``states`` are those of the channel, as the API lists them. */
  constructor(channel, states) {
    this.channel = channel;
    this.states = states.map(({ state, status, meaning }) => [
      String(state),
      meaning === status ? status : `${status}: ${meaning}`,
    ]);
    this.rows = h("ol", { class: "steps" });
    this.element = h(
      "fieldset",
      {},
      h("legend", {}, channel),
      this.rows,
      h("button", { type: "button", class: "quiet flush", onclick: () => this.add(60, this.states.at(-1)[0], true) }, `Add a step for ${channel}`),
    );
  }

  add(after, state, focus = false) {
    const seconds = h("input", {
      type: "number",
      min: 0,
      step: "any",
      required: true,
      value: String(after),
      "aria-label": `${this.channel}: seconds after the sending`,
    });
    const named = select(this.states, { "aria-label": `${this.channel}: status` });
    named.value = String(state);
    const row = h(
      "li",
      {},
      h("span", { class: "muted" }, "after"),
      seconds,
      h("span", { class: "muted" }, "s"),
      named,
      h(
        "button",
        { type: "button", class: "quiet danger", "aria-label": `${this.channel}: remove this step`, onclick: () => row.remove() },
        "✕",
      ),
    );
    this.rows.append(row);
    if (focus) seconds.focus();
  }

  /** Show other steps: pairs of seconds and a state. */
  set(steps) {
    this.rows.replaceChildren();
    for (const [after, state] of steps) this.add(after, state);
  }

  /** Return the same, in the order of time. */
  get() {
    const steps = [...this.rows.children].map((row) => [Number(row.querySelector("input").value), Number(row.querySelector("select").value)]);
    return steps.sort(([one], [other]) => one - other);
  }
}
