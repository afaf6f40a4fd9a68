/* Charts of the explorer, drawn with Observable Plot as SVG, from numbers that the page has. */
window.remitstatsCharts = (() => {
  "use strict";
  const { kinds, fill } = window.remitstatsFormats;
  // Okabe and Ito's colours, as in the pictures; each mark also differs in shape.
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];
  const GREYS = [["#55616b", null], ["#55616b", "2 3"]];
  // Many dots lie under the estimates, a few on top of them.
  const order = (one) =>
    one.mark === "dots" ? (one.points.length > 12 ? 1 : 4) : { ahead: 0, path: 2, interval: 3 }[one.mark];

  const shown = (series, points, words) =>
    points.map((point) => {
      const show = kinds[series.kind];
      const interval =
        point.lower === undefined
          ? ""
          : "\n" + fill(words.intervalOf, { lower: show(point.lower), upper: show(point.upper) });
      return { ...point, label: `${series.title}, ${point.when}: ${show(point.value)}${interval}` };
    });

  const marksOf = (one, colour) => {
    const xy = { x: "x", y: "value" };
    if (one.mark === "dots") {
      return [Plot.dot(one.points, { ...xy, stroke: colour, symbol: "times", r: 2.6 })];
    }
    const line = { ...xy, stroke: colour, strokeWidth: 1.5 };
    if (one.mark === "path") return [
      Plot.lineY(one.points, line), Plot.dot(one.points, { ...xy, fill: colour, r: 3 }),
    ];
    if (one.mark === "ahead") return [
      Plot.areaY(one.points, { x: "x", y1: "lower", y2: "upper", fill: colour, fillOpacity: 0.15 }),
      Plot.lineY(one.points, { ...line, strokeDasharray: "5 3" }),
      Plot.dot(one.points, { ...xy, stroke: colour, fill: "#fff", r: 2.5 }),
    ];
    return [
      Plot.ruleX(one.points, { x: "x", y1: "lower", y2: "upper", stroke: colour, strokeWidth: 2 }),
      Plot.lineY(one.points, { ...line, strokeWidth: 1, strokeOpacity: 0.6 }),
      Plot.dot(one.points, { ...xy, fill: colour, r: 4 }),
    ];
  };

  /* drawn: [{title, kind, mark, points: [{when, x, value, lower, upper}]}];
     lines: [{name, points: [{x, value}]}]. Returns a figure, null where nothing can be drawn. */
  const figure = (chart, drawn, lines, words, place) => {
    const known = drawn
      .map((one, index) => ({ ...one, colour: COLOURS[index % COLOURS.length] }))
      .filter((one) => one.points.length > 0);
    if (known.length === 0) return null;
    const ordered = [...known].sort((a, b) => order(a) - order(b));
    const tips = ordered.flatMap((one) => shown(one, one.points, words));
    const node = document.createElement("figure");
    node.className = "explorer-chart";
    const heading = document.createElement("h4");
    heading.textContent = chart.title;
    const box = document.createElement("div");
    const unit = document.createElement("p");
    unit.className = "axis";
    unit.textContent = chart.axis;
    node.append(heading, unit, box, legend(known, lines, words));

    const span = [...tips, ...lines.flatMap((one) => one.points)].map((point) => point.x);
    const few = chart.ticks.length > 0 && new Set(span).size === 1;
    const draw = (width) => {
      const svg = Plot.plot({
        width,
        height: Math.round(Math.min(300, Math.max(200, width * 0.5))),
        marginLeft: 62,
        marginRight: 18,
        style: { fontSize: "13px", fontFamily: "inherit", background: "none", overflow: "visible" },
        ariaLabel: chart.title + ", " + place,
        ariaDescription: fill(words.chartAlt, { axis: chart.axis, count: String(tips.length) }),
        x: {
          label: null,
          tickFormat: (year) => String(year),
          ticks: chart.ticks.length ? chart.ticks : width < 420 ? 4 : 7,
          ...(few ? { domain: [span[0] - 1, span[0] + 1] } : { insetLeft: 8, insetRight: 8 }),
        },
        y: { label: null, grid: true, zero: chart.zero, nice: true, ticks: 5 },
        marks: [
          Plot.ruleY(chart.zero ? [0] : [], { stroke: "#87939c" }),
          ...lines.map((one, index) =>
            Plot.lineY(one.points, {
              x: "x", y: "value", stroke: GREYS[index % 2][0],
              strokeDasharray: GREYS[index % 2][1], strokeWidth: 1.2,
            })),
          ...ordered.flatMap((one) => marksOf(one, one.colour)),
          Plot.tip(tips, Plot.pointer({ x: "x", y: "value", title: "label", fontSize: 13 })),
        ],
      });
      svg.setAttribute("role", "img");
      box.replaceChildren(svg);
    };
    return { node, box, draw };
  };

  const legend = (known, lines, words) => {
    const caption = document.createElement("figcaption");
    const entry = (kind, colour, text) => {
      const item = document.createElement("span");
      item.className = "key";
      const mark = document.createElement("span");
      mark.className = "swatch " + kind;
      mark.style.color = colour;
      mark.setAttribute("aria-hidden", "true");
      item.append(mark, text);
      caption.append(item, " ");
    };
    for (const one of known) {
      const how = one.mark === "interval" || one.mark === "ahead" ? " " + words.withInterval : "";
      entry(one.mark, one.colour, one.title + how);
    }
    lines.forEach((one, index) => entry(index ? "dotted" : "plainline", GREYS[index % 2][0], one.name));
    return caption;
  };
  return { figure };
})();
