/* The explorer's search: a combobox with a list, by name without accents, code, or state. */
window.remitstatsSearch = (given) => {
  "use strict";
  const { places, states, folded, words, fold, fill, choose } = given;
  const MOST = 40;
  const input = document.getElementById("explorer-search");
  const list = document.getElementById("explorer-list");
  const select = document.getElementById("explorer-state");
  const status = document.getElementById("explorer-status");
  let found = [];
  let at = -1;

  states.forEach(([, name], index) => select.add(new Option(name, String(index))));

  // Best first: a code, then a name that begins so, a word of it, a part of it, a state.
  const score = ({ code, name, state }, text) => {
    if (code.toLowerCase() === text) return 0;
    if (name === text) return 1;
    if (code.toLowerCase().startsWith(text)) return 2;
    if (name.startsWith(text)) return 3;
    if (name.includes(" " + text)) return 4;
    if (name.includes(text)) return 5;
    if (state.startsWith(text)) return 6;
    return text.split(/[\s,]+/).every((w) => (name + " " + state + " " + code).includes(w)) ? 7 : 8;
  };
  const search = () => {
    const text = fold(input.value.trim());
    const state = select.value === "" ? null : Number(select.value);
    if (text === "" && state === null) return [];
    return folded
      .map((each, index) => [text === "" ? 0 : score(each, text), index])
      .filter(([rank, index]) => rank < 8 && (state === null || places[index][2] === state))
      .sort((a, b) => a[0] - b[0] || folded[a[1]].name.localeCompare(folded[b[1]].name))
      .map(([, index]) => index);
  };

  const close = () => {
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (next) => {
    const options = list.querySelectorAll("[role=option]");
    if (!options.length) return;
    if (at >= 0) options[at].setAttribute("aria-selected", "false");
    at = (next + options.length) % options.length;
    options[at].setAttribute("aria-selected", "true");
    options[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[at].id);
  };
  const take = (index) => {
    const [code, name] = places[index];
    input.value = name;
    close();
    choose(code);
  };
  const offer = () => {
    found = search();
    at = -1;
    input.removeAttribute("aria-activedescendant");
    const asked = input.value.trim() !== "" || select.value !== "";
    const shown = select.value === "" ? found.slice(0, MOST) : found;
    list.replaceChildren(
      ...shown.map((index, place) => {
        const [code, name, state] = places[index];
        const option = document.createElement("li");
        option.id = "explorer-option-" + place;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        const label = document.createElement("bdi");
        label.textContent = name;
        const more = document.createElement("span");
        more.className = "quiet";
        const where = document.createElement("bdi");
        where.textContent = states[state][1];
        more.append(" ", where, " · " + code);
        option.append(label, more);
        option.addEventListener("mousedown", (event) => event.preventDefault());
        option.addEventListener("click", () => take(index));
        return option;
      }));
    list.hidden = !asked || shown.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    status.textContent = !asked
      ? ""
      : found.length === 0
        ? words.none
        : fill(shown.length < found.length ? words.foundMore : words.found, {
            count: found.length.toLocaleString("en"), shown: String(shown.length),
          });
  };

  input.addEventListener("input", offer);
  input.addEventListener("focus", () => input.select());
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) offer();
      mark(at + (event.key === "ArrowDown" ? 1 : at < 0 ? 0 : -1));
    } else if (event.key === "Enter") {
      if (list.hidden || found.length === 0) return;
      take(found[at < 0 ? 0 : at]);
    } else if (event.key === "Escape") {
      if (list.hidden) input.value = "";
      close();
      return;
    } else {
      return;
    }
    event.preventDefault();
  });
  input.addEventListener("blur", close);
  select.addEventListener("change", () => {
    input.value = "";
    offer();
    input.focus();
    if (!list.hidden) input.setAttribute("aria-expanded", "true");
  });
};
