"use strict";
// The filters of the whole page, and the part of the address after "#" that
// keeps every choice: "#split=day&feature=AP-GeM". An address such as
// "#queries-1" is a place in the page and leaves the choices alone.
const choices = {
  kept: new Map(), // key → value; what is not chosen is not here
  listeners: [],

  get(key) { return this.kept.get(key) || ""; },

  set(key, value) {
    if (value) this.kept.set(key, value);
    else this.kept.delete(key);
  },

  // read takes the choices from the address; false: it holds none.
  read() {
    const text = location.hash.slice(1);
    if (!text.includes("=")) return false;
    this.kept = new Map(new URLSearchParams(text));
    return true;
  },

  write() {
    const text = new URLSearchParams([...this.kept]).toString();
    history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
  },

  tell() { for (const f of this.listeners) f(); },
};

// Elements in text, as all text of the data must be: names are not HTML.
const make = (tag, text, className) => {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  return e;
};

// bind ties a control to the choice of a key. A choice that the control does
// not offer falls away.
const bind = (control, key) => {
  const show = () => {
    control.value = choices.get(key);
    if (control.value !== choices.get(key)) {
      choices.set(key, "");
      control.value = "";
    }
  };
  choices.listeners.push(show);
  control.addEventListener("input", () => {
    choices.set(key, control.value);
    choices.write();
    choices.tell();
  });
};

// splitShown reports whether what is of a split stays under the choice of one.
const splitShown = split => !choices.get("split") || choices.get("split") === split;

{
  const form = document.querySelector(".filters");
  for (const select of form.querySelectorAll("select")) bind(select, select.name);
  form.addEventListener("submit", e => e.preventDefault());
  const clear = form.querySelector("button");
  clear.addEventListener("click", () => {
    for (const select of form.querySelectorAll("select")) choices.set(select.name, "");
    choices.write();
    choices.tell();
    form.querySelector("label:not([hidden]) select").focus();
  });
  choices.listeners.push(() => {
    const set = [...form.querySelectorAll("select")].some(s => s.value);
    form.classList.toggle("set", set);
    clear.hidden = !set;
    for (const section of document.querySelectorAll("section.scene")) section.hidden = choices.get("scene") !== "" && section.dataset.scene !== choices.get("scene");
    for (const block of document.querySelectorAll("details[data-split]")) {
      block.hidden = !splitShown(block.dataset.split);
      if (!block.hidden && choices.get("split")) block.open = true;
    }
    for (const figure of document.querySelectorAll("figure[data-method]")) {
      figure.hidden = choices.get("method") !== "" && figure.dataset.method !== "" && figure.dataset.method !== choices.get("method");
    }
  });
  form.hidden = false;
  window.addEventListener("hashchange", () => { if (choices.read()) choices.tell(); });
}
