// Selection of results to compare over time.

import { byId, element } from "./elements.js";

/** @param {(address: string) => void} view */
export function watchChoice(view) {
  byId("over-time").addEventListener("click", () => {
    const chosen = boxes().filter((box) => box.checked).map((box) => box.value).reverse(); // the list starts with the newest
    view(`/api/v1/follow?${chosen.map((name) => `of=${encodeURIComponent(name)}`).join("&")}`);
  });
  byId("jobs").addEventListener("change", updateButton);
}

/** @param {string} job @param {string} name of the case @returns {HTMLElement} */
export function chooser(job, name) {
  const box = element("input", { type: "checkbox", name: "compare", value: `${job}/${name}` });
  return element("label", { class: "button" }, box, " Compare");
}

/** Updates the button: a comparison needs two results. */
export function updateButton() {
  const all = boxes(), chosen = all.filter((box) => box.checked).length;
  byId("compare").hidden = all.length < 2;
  byId("over-time").disabled = chosen < 2;
  byId("over-time").textContent = chosen < 2 ? "Compare over time: choose two or more" : `Compare ${chosen} over time`;
}

/** @returns {HTMLInputElement[]} */
function boxes() {
  return Array.from(byId("jobs").querySelectorAll("input[name=compare]"));
}
