// What the other scripts build the page from. Text is only ever set as text.

export const sequenceNames = /** @type {Record<string, string>} */ ({ t1: "T1", t1ce: "T1 post-contrast", t2: "T2", flair: "FLAIR" });

export const regionNames = /** @type {Record<string, string>} */ ({ whole: "whole tumour", core: "tumour core", enhancing: "enhancing tumour" });

/** @param {string} id @returns {any} the element, which is there */
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

/** @param {string} text @param {() => void} action @returns {HTMLElement} */
export function button(text, action) {
  const made = element("button", { type: "button" }, text);
  made.addEventListener("click", action);
  return made;
}
