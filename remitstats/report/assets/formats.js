/* How numbers and names are shown and compared, for all scripts: the same as formats.py. */
window.remitstatsFormats = (() => {
  "use strict";
  const MINUS = "\u2212";
  // As Python rounds: what lies exactly between two goes to the even one. Only whole numbers of
  // halves, quarters, eighths … can do that, and for them the products here are exact.
  const rounded = (size, decimals) => {
    const scaled = size * 10 ** decimals;
    const between = Number.isInteger(size * 2 ** (decimals + 1)) && scaled % 1 === 0.5;
    const down = Math.floor(scaled);
    return between ? (down % 2 === 0 ? down : down + 1) / 10 ** decimals : size;
  };
  const fixed = (value, decimals) => {
    const digits = rounded(Math.abs(value), decimals).toFixed(decimals);
    const [whole, part] = digits.split(".");
    const text = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part === undefined ? "" : "." + part);
    const nought = !/[1-9]/.test(text);
    return value < 0 && !nought ? MINUS + text : text;
  };
  const signed = (value, decimals) => {
    const text = fixed(value, decimals);
    return text.startsWith(MINUS) || !/[1-9]/.test(text) ? text : "+" + text;
  };
  const significant = (value) => {
    if (value === 0) return "0";
    const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
    return fixed(value, Math.min(decimals, 6));
  };
  const kinds = {
    percent: (value) => fixed(value, 2),
    percent1: (value) => fixed(value, 1),
    points: (value) => signed(value, 2),
    points1: (value) => signed(value, 1),
    probability: (value) =>
      value < 0.005 ? "< 0.01" : value > 0.995 ? "> 0.99" : fixed(value, 2),
    count: (value) => fixed(value, 0),
    plain: significant,
  };

  // Accents off, capitals down: "leon" finds "León".
  const fold = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  // What a spreadsheet would run as a formula gets an apostrophe, as in the CSV files beside.
  const guard = (text) => (/^ *[=+\-@\t\r\n]/.test(text) ? "'" + text : text);
  const quote = (text) => (/[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text);
  const fill = (text, values) =>
    text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? values[key] : whole));
  return { kinds, fold, guard, quote, fill, missing: "\u2013" };
})();
