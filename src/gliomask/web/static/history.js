// List of corrections: author, changes, approval, and buttons.

import { button, byId, element, passFocus, regionNames } from "./elements.js";

/**
 * @param {any[]} corrections oldest first
 * @param {string} reader name of the current user
 * @param {(one: any, kind: string) => string} address of a file
 * @param {(method: string, number: number, end: string) => void} act
 */
export function show(corrections, reader, address, act) {
  const had = document.activeElement, at = had?.closest("#history > li")?.getAttribute("value");
  byId("none").hidden = corrections.length > 0;
  byId("history").replaceChildren(...corrections.map((one) => item(one, reader, address, act)));
  passFocus(had, byId("history").querySelector(`li[value="${at}"]`) || byId("history-title"));
}

/** @param {any} one @param {string} reader @param {(one: any, kind: string) => string} address @param {(method: string, number: number, end: string) => void} act */
function item(one, reader, address, act) {
  const made = element("li", { value: String(one.number), class: one.withdrawn ? "withdrawn" : "", tabindex: "-1" });
  made.append(element("p", {}, `${one.author}, ${new Date(one.created).toLocaleString()}: ${changes(one)}`));
  made.append(element("p", { class: "faint" }, state(one)));
  if (one.withdrawn) return made;
  const row = element("p", { class: "buttons" });
  row.append(element("a", { class: "button", href: address(one, "mask"), download: "" }, "Mask"));
  if (!one.approver && one.author !== reader) row.append(button("Approve", () => act("POST", one.number, "/approval")));
  if (one.approver === reader) row.append(button("Withdraw approval", () => act("DELETE", one.number, "/approval")));
  if (one.author === reader) row.append(button("Withdraw", () => act("DELETE", one.number, "")));
  made.append(row);
  return made;
}

/** @param {any} one */
function state(one) {
  if (one.withdrawn) return `withdrawn ${new Date(one.withdrawn).toLocaleString()}`;
  return one.approver ? `approved by ${one.approver}` : "waits for a second reader";
}

/** @param {any} one */
function changes(one) {
  return Object.entries(one.changes).filter(([, change]) => change.added_voxels || change.removed_voxels).map(([name, change]) =>
    `${regionNames[name] || name} +${change.added_ml.toFixed(2)} −${change.removed_ml.toFixed(2)} ml, now ${change.volume_ml.toFixed(2)} ml`).join("; ");
}
