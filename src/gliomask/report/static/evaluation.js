"use strict";
(() => {
  const table = document.getElementById("cases");
  if (!table) return;
  const body = table.tBodies[0];
  const pairs = [...body.querySelectorAll("tr.case")].map((row) => {
    return { row, detail: document.getElementById(row.dataset.detail), text: row.textContent.toLowerCase() };
  });

  const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
  const compare = (one, other) => {
    const [a, b] = [Number(one), Number(other)];
    return Number.isNaN(a) || Number.isNaN(b) ? one.localeCompare(other, "en", { numeric: true }) : a - b;
  };

  for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
    head.querySelector("button").addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      pairs.sort((one, other) => {
        const [a, b] = [value(one.row, column), value(other.row, column)];
        if (a === "" || b === "") return (a === "") - (b === ""); // unknown values are always last
        return falling ? compare(b, a) : compare(a, b);
      });
      for (const { row, detail } of pairs) body.append(row, ...(detail ? [detail] : []));
    });
  }

  for (const { row, detail } of pairs) {
    const button = row.querySelector("button");
    if (!button || !detail) continue;
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(open));
      detail.hidden = !open;
    });
  }

  const search = document.getElementById("search");
  const found = document.getElementById("found");
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, detail, text } of pairs) {
      const fits = words.every((word) => text.includes(word));
      row.hidden = !fits;
      shown += fits;
      if (detail) detail.hidden = !fits || row.querySelector("button").getAttribute("aria-expanded") !== "true";
    }
    found.textContent = `${shown} of ${pairs.length}`;
  });
})();
