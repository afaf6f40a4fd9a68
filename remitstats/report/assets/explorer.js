/* The municipality explorer: finds a municipality and shows what the report knows of it.

   Nothing is fetched: the page carries names and titles, and a script beside it the numbers of each
   state, which it asks for with a script element and which calls remitstatsExplorer.add. */
(() => {
  "use strict";
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const { states, places, sections } = read("explorer-data");
  const words = read("explorer-texts");
  const top = document.documentElement.dataset.top ?? "";
  const { kinds, fold, guard, quote, fill, missing } = window.remitstatsFormats;
  const position = new Map(places.map(([code], index) => [code, index]));
  const folded = places.map(([code, name, state]) => ({
    code, name: fold(name), state: fold(states[state][1]),
  }));
  const box = document.getElementById("explorer-place");
  const announce = document.getElementById("explorer-status");

  const make = (tag, text, attributes = {}) => {
    const node = document.createElement(tag);
    if (text) node.textContent = text;
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const address = (code) => "#" + encodeURIComponent(code);
  const link = (code, text) => make("a", text, { href: address(code) });
  // A name of any direction stands by itself.
  const isolated = (text, tag = "bdi") => make(tag, text, tag === "bdi" ? {} : { dir: "auto" });

  /* ---- numbers of a state, when they are wanted ---- */
  const numbers = new Map();
  const waiting = new Map();
  window.remitstatsExplorer = {
    add: (state, municipalities) => {
      numbers.set(state, municipalities);
      (waiting.get(state) ?? []).forEach((each) => each.done());
      waiting.delete(state);
    },
  };
  const load = (index) => {
    const [state, , file] = states[index];
    if (numbers.has(state)) return Promise.resolve(numbers.get(state));
    return new Promise((resolve, reject) => {
      const first = !waiting.has(state);
      if (first) waiting.set(state, []);
      waiting.get(state).push({ done: () => resolve(numbers.get(state)), failed: reject });
      if (!first) return;
      const script = make("script", "", { src: `${top}assets/explorer/${file}.js` });
      script.addEventListener("error", () => {
        (waiting.get(state) ?? []).forEach((each) => each.failed(new Error(file)));
        waiting.delete(state);
      });
      document.head.append(script);
    });
  };

  /* ---- one record a number: what the tables, the charts and the downloads show ---- */
  const recordsOf = (section, lists) =>
    section.series.flatMap((series, at) => {
      const list = lists[at] ?? [];
      return series.whens.flatMap((when, t) => {
        const [value, lower, upper] = list.slice(t * series.parts, (t + 1) * series.parts);
        if (value === undefined || value === null) return [];
        const ends = series.parts === 3 ? { lower, upper } : {};
        return [{ series, when, value, ...ends }];
      });
    });

  const COLUMNS = [
    "cvegeo", "municipality", "state", "subject", "quantity", "title", "time", "value",
    "eti90_lower", "eti90_upper", "unit", "source",
  ];
  const flat = (place) =>
    place.parts.flatMap(({ section, records }) =>
      records.map(({ series, when, value, lower, upper }) => ({
        cvegeo: place.code, municipality: place.name, state: place.state, subject: section.key,
        quantity: series.key, title: series.title, time: when, value,
        eti90_lower: lower ?? null, eti90_upper: upper ?? null, unit: series.unit,
        source: series.source,
      })));
  const csv = (place) => {
    const cell = (value) =>
      value === null ? "" : typeof value === "number" ? String(value) : quote(guard(value));
    const rows = flat(place).map((row) => COLUMNS.map((column) => cell(row[column])).join(","));
    return "\ufeff" + [COLUMNS.join(","), ...rows].join("\n") + "\n";
  };
  const json = (place) =>
    JSON.stringify(
      {
        cvegeo: place.code, municipality: place.name, state: place.state,
        interval: { kind: "eti", probability: 0.9 }, ...read("explorer-origin"),
        not_converged: sections.flatMap((section) => section.withheld),
        neighbours: place.near.map((index) => places[index][0]),
        numbers: flat(place).map(({ cvegeo, municipality, state, ...rest }) => rest),
      },
      null, 1) + "\n";
  const download = (label, kind, content, name) => {
    const button = make("button", label, { type: "button", class: "button" });
    button.addEventListener("click", () => {
      const url = URL.createObjectURL(new Blob([content()], { type: kind }));
      const anchor = make("a", "", { href: url, download: name.replace(/[^\w.-]/g, "_") });
      anchor.click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    });
    return button;
  };
  const share = () => {
    const button = make("button", words.share, { type: "button", class: "button" });
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(location.href);
        announce.textContent = words.shared;
      } catch {
        announce.textContent = fill(words.shareByHand, { address: location.href });
      }
    });
    return button;
  };

  /* ---- one municipality ---- */
  const cell = (series, found) => {
    const node = make("td", "", { class: "num" });
    if (found === undefined) {
      node.textContent = missing;
      return node;
    }
    const show = kinds[series.kind];
    node.append(show(found.value));
    if (found.lower !== undefined) {
      const ends = `(${show(found.lower)} ${words.to} ${show(found.upper)})`;
      node.append(" ", make("span", ends, { class: "interval" }));
    }
    return node;
  };
  const named = (series, scope) => {
    const node = make("th", series.title, { scope });
    if (series.unit) node.append(" ", make("span", series.unit, { class: "unit-of" }));
    return node;
  };
  // Few times stand side by side, many below each other.
  const FEW = 7;
  const table = (caption, records, said) => {
    const whens = [...new Set(records.map((record) => record.when))];
    const all = [...new Set(records.map((record) => record.series))];
    const of = new Map(records.map((record) => [record.series.key + "|" + record.when, record]));
    const node = make("table", "", { class: "explorer-table" });
    node.append(make("caption", caption, said ? {} : { class: "unseen" }));
    const head = node.createTHead().insertRow();
    const body = node.createTBody();
    const top = (text, kind = "num") => head.append(make("th", text, { scope: "col", class: kind }));
    if (all.every((series) => series.whens.length === 1)) {
      top(words.what, "");
      top(words.when, "");
      top(words.value);
      for (const series of all) {
        const line = body.insertRow();
        line.append(named(series, "row"), make("td", series.whens[0]));
        line.append(cell(series, of.get(series.key + "|" + series.whens[0])));
      }
    } else if (whens.length <= FEW) {
      top(words.what, "");
      whens.forEach((when) => top(when));
      for (const series of all) {
        const line = body.insertRow();
        line.append(named(series, "row"));
        for (const when of whens) line.append(cell(series, of.get(series.key + "|" + when)));
      }
    } else {
      whens.sort();
      top(words.when, "");
      for (const series of all) head.append(named(series, "col"));
      for (const when of whens) {
        const line = body.insertRow();
        line.append(make("th", when, { scope: "row" }));
        for (const series of all) line.append(cell(series, of.get(series.key + "|" + when)));
      }
    }
    const scroll = make("div", "", { class: "scroll", role: "region", tabindex: "0", "aria-label": caption });
    scroll.append(node);
    return scroll;
  };
  // Numbers of the same times share a table, and those of a single time.
  const tables = (caption, records) => {
    const groups = new Map();
    for (const record of records) {
      const { whens } = record.series;
      const times = whens.length === 1 ? "" : whens.join("|");
      if (!groups.has(times)) groups.set(times, []);
      groups.get(times).push(record);
    }
    return [...groups.values()].map((group, at) => table(caption, group, at === 0));
  };

  let redraw = [];
  const sectionOf = (place, { section, records, notes }) => {
    const node = make("section", "", { class: "explorer-section", id: "section-" + section.key });
    node.append(make("h3", section.title));
    for (const model of section.withheld) {
      node.append(make("p", fill(words.withheld, { model: words.models[model] ?? model }), { class: "boxed bad" }));
    }
    for (const note of notes) node.append(make("p", section.notes[note], { class: "boxed" }));
    const charts = make("div", "", { class: "explorer-charts" });
    for (const chart of section.charts) {
      const drawn = section.series
        .filter((series) => series.chart === chart.key)
        .map((series) => ({
          ...series,
          points: records
            .filter((record) => record.series === series && record.when in chart.years)
            .map((record) => ({ ...record, x: chart.years[record.when] }))
            .sort((a, b) => a.x - b.x),
        }));
      const lines = [places[position.get(place.code)][2], ""]
        .map((index) => chart.references[index === "" ? "" : states[index][0]])
        .filter((line) => line !== undefined)
        .map((line) => ({
          name: line.name,
          points: line.points.map(([when, value]) => ({ x: chart.years[when], value })),
        }));
      const figure = window.remitstatsCharts.figure(chart, drawn, lines, words, place.name);
      if (figure) {
        charts.append(figure.node);
        redraw.push(figure);
      }
    }
    if (charts.children.length) node.append(charts);
    const main = records.filter((record) => !record.series.aside);
    const aside = records.filter((record) => record.series.aside);
    const estimated = records.some((record) => record.lower !== undefined);
    const caption = fill(words.caption, { title: section.title, name: place.name }) +
      (estimated ? " " + words.brackets : "");
    node.append(...tables(caption, main));
    if (aside.length) {
      const more = make("details");
      more.append(make("summary", words.more), table(caption + " " + words.more, aside, true));
      node.append(more);
    }
    if (!records.length && !section.withheld.length) node.append(make("p", words.nothing));
    const about = make("p", section.about + " ", { class: "note" });
    if (section.page) about.append(make("a", words.page, { href: section.page + ".html" }));
    node.append(about);
    return node;
  };

  const show = (place) => {
    redraw = [];
    const head = isolated(place.name, "h2");
    head.tabIndex = -1;
    const where = make("p", "", { class: "where" });
    where.append(isolated(place.state), " · ", make("code", place.code), " · ",
      make("a", words.row, { href: "municipalities.html#m-" + encodeURIComponent(place.code) }));
    const tools = make("p", "", { class: "downloads" });
    const name = `municipality-${place.code}`;
    tools.append(
      download(words.csv, "text/csv", () => csv(place), name + ".csv"),
      download(words.json, "application/json", () => json(place), name + ".json"), share());
    const nodes = [head, where, tools, ...place.parts.map((part) => sectionOf(place, part))];
    const near = make("section", "", { class: "explorer-section", id: "section-neighbours" });
    near.append(make("h3", words.neighbours));
    if (place.near.length) {
      const list = make("ul", "", { class: "neighbours" });
      for (const index of place.near) {
        const [code, other, state] = places[index];
        const item = make("li");
        const anchor = link(code, "");
        anchor.append(isolated(other));
        item.append(anchor);
        if (states[state][1] !== place.state) item.append(" (", isolated(states[state][1]), ")");
        list.append(item);
      }
      near.append(list);
    } else {
      near.append(make("p", words.noNeighbours));
    }
    box.replaceChildren(...nodes, near);
    redraw.forEach((figure) => figure.draw(figure.box.clientWidth || 320));
    document.title = place.name + " · " + words.title;
    box.dataset.code = place.code;
    return head;
  };

  let wanted = null;
  const open = async (code, focus) => {
    wanted = code;
    const index = position.get(code);
    if (index === undefined) {
      box.replaceChildren(make("p", fill(words.unknown, { code }), { class: "boxed" }));
      announce.textContent = fill(words.unknown, { code });
      return;
    }
    const [, name, state] = places[index];
    try {
      const [near, notes, lists] = (await load(state))[code];
      if (wanted !== code) return;
      const parts = sections.map((section, at) => ({
        section, records: recordsOf(section, lists[at]), notes: notes[section.key] ?? [],
      }));
      const head = show({ code, name, state: states[state][1], near, parts });
      announce.textContent = fill(words.opened, { name, state: states[state][1] });
      if (focus) {
        head.focus({ preventScroll: true });
        head.scrollIntoView({ block: "start" });
      }
    } catch {
      const text = fill(words.failed, { file: `assets/explorer/${states[state][2]}.js` });
      box.replaceChildren(make("p", text, { class: "boxed bad", role: "alert" }));
    }
  };
  const follow = (focus) => {
    let code;
    try {
      code = decodeURIComponent(location.hash.slice(1));
    } catch {
      code = location.hash.slice(1);
    }
    if (code && code !== "content") open(code, focus);
  };

  let timer = null;
  window.addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => redraw.forEach((each) => each.draw(each.box.clientWidth || 320)), 150);
  });
  window.addEventListener("hashchange", () => follow(true));
  window.remitstatsSearch({
    places, states, folded, words, fold, fill,
    choose: (code) => {
      if (location.hash === address(code)) open(code, true);
      else location.hash = address(code);
    },
  });
  follow(false);
  document.documentElement.dataset.explorer = "ready";
})();
