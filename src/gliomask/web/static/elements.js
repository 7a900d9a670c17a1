// Elements of the pages. Text is only set as text, never as HTML.

export const sequenceNames = /** @type {Record<string, string>} */ ({ t1: "T1", t1ce: "post-contrast T1", t2: "T2", flair: "FLAIR" });

export const regionNames = /** @type {Record<string, string>} */ ({ whole: "whole tumour", core: "tumour core", enhancing: "enhancing tumour" });

/** @param {string} id @returns {any} the element, which exists */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Passes the focus on if the element that had it was removed, hidden or disabled, so that people
 * who use the keyboard continue from there.
 * @param {Element | null} had
 * @param {HTMLElement} heir
 */
export function passFocus(had, heir) {
  if (!(had instanceof HTMLElement) || had === document.body) return;
  if (!had.isConnected || !had.offsetParent || had.matches(":disabled")) heir.focus();
}

/** @param {string} text @param {() => void} action @returns {HTMLElement} */
export function button(text, action) {
  const made = element("button", { type: "button" }, text);
  made.addEventListener("click", action);
  return made;
}
