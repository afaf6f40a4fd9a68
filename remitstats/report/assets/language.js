/* The other language opens at the place that this page shows. */
(() => {
  "use strict";
  const links = document.querySelectorAll(".languages a");
  const keep = () => links.forEach((link) => { link.hash = location.hash; });
  window.addEventListener("hashchange", keep);
  for (const link of links) {
    for (const kind of ["pointerover", "pointerdown", "focus", "click"]) {
      link.addEventListener(kind, keep);
    }
  }
  keep();
})();
