// What subscribers sent, and what their phones answer by themselves.

import { act, get } from "./api.js";
import { field, fill, h, phone, time } from "./dom.js";
import { card, given, onSubmit, page } from "./parts.js";

export class Replies {
  constructor() {
    this.list = h("ul", { class: "replies", "aria-label": "Incoming messages" });
    const form = h(
      "form",
      {
        class: "line",
        onsubmit: onSubmit(async (form) => {
          const { sender, text } = given(form);
          if (await act("POST", "/incoming", { sender, text }, "The reply is in Sms/In")) form.elements.text.value = "";
        }),
      },
      field("From", h("input", { name: "sender", value: "79161234567", required: true, maxlength: 32 })),
      field("Text", h("input", { name: "text", required: true, maxlength: 2000 })),
      h("button", { class: "primary" }, "Add"),
    );
    this.answers = h("ul", { class: "armed" });
    const answer = h(
      "form",
      { class: "line", onsubmit: onSubmit((form) => act("POST", "/answers", given(form), "The answer is set")) },
      field("Number", h("input", { name: "number", value: "*", required: true, maxlength: 32 })),
      field("Answers", h("input", { name: "text", value: "STOP", required: true, maxlength: 2000 })),
      h("button", { class: "primary" }, "Set"),
    );
    this.element = page(
      "Replies",
      "What subscribers sent: Sms/In answers these.",
      h(
        "div",
        { class: "cards" },
        card("Add a reply", form),
        card("Automatic answers", h("p", { class: "muted" }, "Once a message has arrived, its phone says this; * is every number without an answer of its own, and +7\u00a0900\u00a0000-00-12 always says STOP."), answer, this.answers),
      ),
      this.list,
    );
  }

  async refresh() {
    const [{ incoming }, { set }] = await Promise.all([get("/incoming", { limit: 200 }), get("/answers")]);
    fill(this.answers, set, () =>
      Object.entries(set).map(([digits, text]) => {
        const shown = digits === "*" ? "every other number" : phone(`+${digits}`);
        const back = () => act("POST", "/answers", { number: digits, text: null });
        return h(
          "li",
          {},
          h("b", {}, shown),
          h("span", { dir: "auto" }, text),
          h("button", { type: "button", class: "quiet danger", "aria-label": `Take the answer of ${shown} back`, onclick: back }, "Take back"),
        );
      }),
    );
    fill(this.list, incoming, () =>
      incoming.length
        ? incoming.map((message) =>
            h(
              "li",
              { class: "card" },
              h("p", { class: "meta" }, h("b", {}, phone(message.sender)), ` to ${phone(message.recipient)} · `, time(message.created_at)),
              h("p", { class: "body", dir: "auto" }, message.text),
            ),
          )
        : [h("li", { class: "empty" }, "No reply yet.")],
    );
  }
}
