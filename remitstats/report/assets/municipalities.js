/* The table of all municipalities: DataTables over the page's own JSON, nothing is fetched. */
(async () => {
  "use strict";
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const { columns, rows, states } = read("table-data");
  const words = read("table-texts");
  const { default: DataTable } = await window.remitstatsTables;

  const element = document.createElement("span");
  const escape = (text) => {
    element.textContent = text;
    return element.innerHTML.replace(/"/g, "&quot;");
  };
  const { kinds: formats, fold, guard } = window.remitstatsFormats;
  const csv = (value) =>
    value === null ? "" : value === true ? "True" : value === false ? "False" : value;

  const renderText = (name) => (value, type, row) => {
    const text = value === null ? "" : String(value);
    if (type === "display") {
      if (name !== "name") return escape(text);
      return `<a href="explorer.html#${encodeURIComponent(row[0])}"><bdi>${escape(text)}</bdi></a>`;
    }
    if (type === "export") return guard(text);
    if (type === "filter") return text + " " + fold(text);
    return fold(text);
  };
  const renderNumber = (column) => (value, type, row) => {
    if (type === "export") return csv(value);
    if (type === "filter") return "";
    if (type !== "display") return value === null ? -Infinity : value;
    if (value === null) return "–";
    const format = formats[column.kind];
    if (!format) return escape(String(value));
    let html = escape(format(value));
    if (column.measured !== undefined && row[column.measured] === false) {
      html += `<abbr title="${escape(words.notMeasured)}">*</abbr>`;
    }
    if (column.lower !== undefined && row[column.lower] !== null) {
      const ends = [row[column.lower], row[column.upper]].map(format).map(escape);
      html += ` <span class="interval">(${ends.join(" " + escape(words.to) + " ")})</span>`;
    }
    return html;
  };

  const shown = (column) => column.title !== undefined;
  const definitions = columns.map((column, index) => ({
    data: index,
    name: column.name,
    title: escape(column.title ?? column.name),
    visible: shown(column),
    searchable: shown(column) && column.kind === "text",
    type: column.kind === "text" ? "string" : "num",
    className: column.kind === "text" ? "text" : "num",
    render: column.kind === "text" ? renderText(column.name) : renderNumber(column),
  }));

  const table = new DataTable("#municipalities", {
    data: rows,
    columns: definitions,
    order: [],
    stripeClasses: [],
    autoWidth: false,
    deferRender: true,
    pageLength: 25,
    lengthMenu: [10, 25, 50, 100, 500],
    createdRow: (tr, data) => {
      tr.id = "m-" + encodeURIComponent(data[0]);
    },
    layout: {
      topStart: {
        buttons: [
          {
            extend: "csvHtml5",
            text: words.shown,
            filename: "municipalities-shown",
            bom: true,
            fieldBoundary: '"',
            exportOptions: {
              columns: columns.map((_, index) => index),
              orthogonal: "export",
              modifier: { search: "applied", order: "applied" },
              format: {
                header: (_title, index) => columns[index].name,
                body: (value) => value,
              },
            },
          },
        ],
      },
      topEnd: "search",
      bottomStart: ["info", "pageLength"],
      bottomEnd: "paging",
    },
    language: {
      search: words.search,
      lengthMenu: words.length,
      info: words.info,
      infoFiltered: words.filtered,
      infoEmpty: words.none,
      zeroRecords: words.empty,
      emptyTable: words.empty,
      paginate: {
        first: "«", previous: "‹", next: "›", last: "»",
      },
      aria: {
        paginate: {
          first: words.first, previous: words.previous, next: words.next, last: words.last,
        },
      },
    },
  });

  // Only the table itself scrolls sideways; search and paging stay in sight.
  const scroller = document.createElement("div");
  scroller.className = "scroll";
  scroller.tabIndex = 0;
  const node = table.table().node();
  node.parentNode.insertBefore(scroller, node);
  scroller.append(node);

  const stateColumn = columns.findIndex((column) => column.name === "state_name");
  const label = document.createElement("label");
  label.className = "state-filter";
  label.textContent = words.state + " ";
  const select = document.createElement("select");
  select.add(new Option(words.all, ""));
  states.forEach((state, index) => select.add(new Option(state, String(index))));
  label.append(select);
  document.getElementById("table-box").prepend(label);
  select.addEventListener("change", () => {
    const chosen = select.value === "" ? null : states[Number(select.value)];
    table
      .column(stateColumn)
      .search((_text, data) => chosen === null || data[stateColumn] === chosen)
      .draw();
  });

  const goTo = () => {
    if (!location.hash.startsWith("#m-")) return;
    let id;
    try {
      id = decodeURIComponent(location.hash.slice(3));
    } catch {
      return;
    }
    const place = table.rows({ order: "applied", search: "none" }).indexes().toArray()
      .findIndex((index) => rows[index][0] === id);
    if (place < 0) return;
    select.value = "";
    table.column(stateColumn).search("");
    table.search("").draw();
    table.page(Math.floor(place / table.page.len())).draw("page");
    const row = document.getElementById("m-" + encodeURIComponent(id));
    if (row) {
      document.querySelectorAll("tr.found").forEach((other) => other.classList.remove("found"));
      row.classList.add("found");
      row.scrollIntoView({ block: "center" });
    }
  };
  window.addEventListener("hashchange", goTo);
  goTo();
  document.documentElement.dataset.table = "ready";
})();
