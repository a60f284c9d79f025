// Sorting, filtering and the place of tips. Without this script the pages say the same; nothing here makes content.
(() => {
  "use strict";

  const key = (row, column, numeric) => {
    const cell = row.cells[column];
    if (!numeric) return cell.textContent.trim().toLowerCase();
    return cell.dataset.v === undefined ? null : Number(cell.dataset.v);
  };

  // Rows without a value stay at the end in both directions.
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
  };

  const sortable = (table) => {
    const body = table.tBodies[0];
    const original = [...body.rows];
    table.querySelectorAll(".za-sort").forEach((button) => {
      const head = button.closest("th");
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const numeric = "zaNumeric" in button.dataset;
        const steps = numeric ? ["descending", "ascending", "none"] : ["ascending", "descending", "none"];
        const next = steps[(steps.indexOf(head.getAttribute("aria-sort")) + 1) % 3];
        table.querySelectorAll("th[aria-sort]").forEach((other) => other.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", next);
        const sign = next === "descending" ? -1 : 1;
        const rows = next === "none" ? original : [...original].sort(
          (a, b) => compare(key(a, head.cellIndex, numeric), key(b, head.cellIndex, numeric), sign));
        body.append(...rows);
      });
    });
  };

  const filterable = (overview) => {
    const form = overview.querySelector(".za-filter");
    const rows = [...overview.querySelectorAll("tbody tr")];
    const apply = () => {
      const words = form.elements.name.value.toLowerCase().split(/\s+/).filter(Boolean);
      const family = form.elements.family.value;
      let shown = 0;
      rows.forEach((row) => {
        const text = `${row.cells[0].textContent} ${row.dataset.family}`.toLowerCase();
        row.hidden = !((!family || row.dataset.family === family) && words.every((word) => text.includes(word)));
        shown += !row.hidden;
      });
      form.querySelector("output").textContent = `${shown} of ${rows.length} models`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  };

  // A tip is fixed to the window so that no scroll box cuts it off; here it gets its place beside its number.
  const placeTip = (cell) => {
    const tip = cell.querySelector(".za-tip");
    const at = cell.getBoundingClientRect();
    const width = tip.offsetWidth;
    const height = tip.offsetHeight;
    const below = at.bottom + 8 + height < window.innerHeight;
    tip.style.margin = "0";
    tip.style.left = `${Math.max(8, Math.min(at.right - width, document.documentElement.clientWidth - width - 8))}px`;
    tip.style.top = `${below ? at.bottom + 6 : at.top - height - 6}px`;
  };

  const tips = () => {
    const show = (event) => {
      const cell = event.target.closest?.(".za-cell");
      if (cell) {
        cell.classList.remove("za-quiet");
        placeTip(cell);
      }
    };
    document.addEventListener("pointerover", show);
    document.addEventListener("focusin", show);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        document.querySelectorAll(".za-cell:hover, .za-cell:focus").forEach((cell) => cell.classList.add("za-quiet"));
      }
    });
  };

  // The theme's search dialog has a role, but no name for screen readers.
  document.querySelector(".md-search[role=dialog]:not([aria-label])")?.setAttribute("aria-label", "Search");

  document.querySelectorAll(".za-sortable").forEach(sortable);
  document.querySelectorAll(".za-overview").forEach(filterable);
  tips();
})();
