// Tools of the editor: pens, fragment and border at the crosshair, undo and redo, keys.

import { byId, element, passFocus, regionNames, sequenceNames } from "./elements.js";
import { MARKED, moved, square } from "./mask.js";
import { Pieces } from "./pieces.js";

/** @typedef {import("./canvas.js").Canvas} Canvas */
/** @typedef {import("./mask.js").Mask} Mask */

const AXES = ["x", "y", "z"];
const KEYS = { l: "look", p: "pen", f: "filled", e: "eraser", g: "fragment", b: "border" };
const SETTINGS = { image: "image-", map: "probability-" };

export class Tools {
  /**
   * @param {Canvas} canvas
   * @param {(name: string) => Promise<Blob>} load a layer
   * @param {() => void} changed called after each change of the mask
   * @param {(problem: unknown) => void} tell shows a problem
   */
  constructor(canvas, load, changed, tell) {
    this.canvas = canvas;
    this.load = load;
    this.changed = changed;
    this.tell = tell;
    /** @type {Mask} */
    this.mask = /** @type {any} */ (null);
    /** @type {Map<string, Uint8Array>} region -> probabilities */
    this.maps = new Map();
    this.ml = 0;
    this.tool = "look";
    this.region = 0;
    /** @type {import("./mask.js").Step | undefined} the last saved step */
    this.kept = undefined;
    this.saving = false;
    /** @type {number[] | null} original voxels of the lesion whose border is being moved */
    this.lesion = null;
    /** @type {import("./mask.js").Step | undefined} the step of its present border */
    this.border = undefined;
    this.composing = 0;
    this.image = "";
    this.pieces = new Pieces((voxel) => { canvas.voxel = this.place(voxel); });
  }

  /** Loads the images of a case and connects the controls. @param {any} one */
  async prepare(one) {
    const images = one.layers.filter((/** @type {string} */ name) => name.startsWith(SETTINGS.image));
    const maps = one.layers.filter((/** @type {string} */ name) => name.startsWith(SETTINGS.map));
    for (const [id, names, lead] of /** @type {[string, string[], string][]} */ ([["image", images, SETTINGS.image], ["map", maps, SETTINGS.map]])) {
      const titles = id === "map" ? regionNames : sequenceNames;
      byId(id).append(...names.map((name) => element("option", { value: name }, titles[name.slice(lead.length)] || name.slice(lead.length))));
    }
    for (const name of [images[0], ...maps]) await this.canvas.read(name, await this.load(name), name === images[0] ? "gray" : "viridis");
    this.image = images[0];
    this.canvas.compose(this.image);
    for (const name of maps) this.maps.set(name.slice(SETTINGS.map.length), this.canvas.values(name));
    byId("map-label").hidden = byId("border-tool").hidden = !maps.length;
    byId("regions").replaceChildren(...one.regions.map(choice));
    AXES.forEach((axis, n) => { byId(axis).max = this.canvas.shape[n] - 1; });
    this.listen();
  }

  /** Starts the correction of a mask. @param {Mask} mask @param {number} ml volume of a voxel */
  take(mask, ml) {
    [this.mask, this.ml, this.kept, this.lesion] = [mask, ml, undefined, null];
    this.canvas.draw(mask.values, mask.regions);
    this.canvas.setOpacity(Number(byId("opacity").value));
    this.pick(this.tool);
    this.goToTumour();
    this.update();
  }

  goToTumour() {
    const found = this.mask.middle();
    if (found !== null) this.canvas.voxel = this.place(found);
  }

  /** Whether there are unsaved changes. */
  get dirty() {
    return this.last !== this.kept;
  }

  /** The last step of the mask, undefined without changes. */
  get last() {
    return this.mask?.done.at(-1);
  }

  /** Begins to save the mask. @returns {import("./mask.js").Step | undefined} the last step in it */
  save() {
    this.saving = true;
    this.update();
    return this.last;
  }

  /** Ends it. @param {import("./mask.js").Step | undefined} step the last one in the saved mask; that saved before if it failed */
  saved(step) {
    [this.saving, this.kept] = [false, step];
    this.update();
  }

  /** @param {number[]} voxel */
  index([x, y, z]) {
    const [nx, ny] = this.mask.shape;
    return x + nx * (y + ny * z);
  }

  /** @param {number} at @returns {number[]} */
  place(at) {
    const [nx, ny] = this.mask.shape;
    return [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
  }

  get probability() {
    return this.maps.get(this.mask.regions[this.region].name);
  }

  /** Adds a stroke of NiiVue's pen to the history of the mask. */
  stroked() {
    if (!this.mask) return;
    const { drawn } = this.canvas, { values } = this.mask;
    const at = [];
    for (let n = 0; n < values.length; n++) if (drawn[n] !== values[n]) at.push(n);
    if (at.length) this.change(at, this.tool !== "eraser");
  }

  /** @param {Iterable<number>} voxels @param {boolean} belong whether the voxels are added to the region or removed */
  change(voxels, belong) {
    this.lesion = null;
    this.mask.change(voxels, this.region, belong);
    this.drawn();
  }

  drawn() {
    this.canvas.drawn.set(this.mask.values);
    this.canvas.redraw();
    this.update();
  }

  /** @param {"undo" | "redo"} which */
  step(which) {
    this.lesion = null;
    if (this.mask[which]()) this.drawn();
  }

  /** Applies the tool at the crosshair, for the keyboard. */
  use() {
    if (this.tool === "fragment") return this.toggleFragment();
    if (this.tool !== "pen" && this.tool !== "filled" && this.tool !== "eraser") return;
    const across = ["sagittal", "coronal"].indexOf(this.canvas.planes);
    const brush = square(this.canvas.voxel, Number(byId("size").value), across < 0 ? 2 : across, this.mask.shape);
    this.change(brush, this.tool !== "eraser");
  }

  toggleFragment() {
    const at = this.index(this.canvas.voxel);
    const there = this.mask.fragment(at, this.region);
    if (there.length) return this.change(there, false);
    if (this.probability) this.change(this.mask.dropped(at, this.region, this.probability), true);
  }

  keepFragment() {
    const there = this.mask.fragment(this.index(this.canvas.voxel), this.region);
    if (there.length) this.change(this.mask.others(there, this.region), false);
  }

  /** Moves the border of the lesion at the crosshair; one drag is one step of the history. */
  moveBorder() {
    const probability = this.probability, level = 256 - Number(byId("level").value);
    if (!probability) return;
    if (!this.lesion) this.lesion = this.lesionHere();
    else if (this.last === this.border) this.mask.undo();
    if (!this.lesion.length) { this.lesion = null; return this.resetBorder(); }
    const lesion = this.lesion, wanted = moved(lesion, probability, level, this.mask.shape);
    const before = this.mask.values.slice();
    const steps = this.mask.done.length;
    this.mask.change(lesion.filter((at) => !wanted.has(at)), this.region, false);
    this.mask.change(wanted, this.region, true);
    this.mask.done.length = steps; // both changes become one step
    const at = [];
    for (let n = 0; n < before.length; n++) if (before[n] !== this.mask.values[n]) at.push(n);
    this.mask.remember(Uint32Array.from(at), Uint8Array.from(at, (n) => before[n]));
    this.border = this.last;
    this.drawn();
    this.lesion = lesion;
    byId("level").nextElementSibling.textContent = level === MARKED ? "as marked" : `${level < MARKED ? "+" : "−"}${Math.round(Math.abs(MARKED - level) / 1.28)} %`;
  }

  /** Removes a step without changes, of a border that was moved back or by too little. */
  dropEmptyStep() {
    if (this.last?.at.length !== 0) return;
    this.mask.done.pop();
    this.update();
  }

  lesionHere() {
    return this.mask.fragment(this.index(this.canvas.voxel), this.region);
  }

  resetBorder() {
    const edited = this.lesion !== null;
    this.lesion = null;
    if (edited) this.listPieces();
    byId("level").value = 256 - MARKED;
    byId("level").nextElementSibling.textContent = "as marked";
  }

  /** @param {string} tool */
  pick(tool) {
    this.tool = tool;
    /** @type {any} */ (document.querySelector(`input[name=tool][value=${tool}]`)).checked = true;
    const draws = tool === "pen" || tool === "filled" || tool === "eraser";
    byId("for-size").hidden = !draws;
    byId("for-fragment").hidden = tool !== "fragment";
    byId("for-border").hidden = tool !== "border";
    byId("for-pieces").hidden = tool !== "fragment" && tool !== "border";
    this.listPieces();
    const number = tool === "eraser" ? 0 : this.mask.regions[this.region].number;
    this.canvas.setPen(draws ? number : null, tool === "filled", Number(byId("size").value));
    this.moved();
  }

  /** @param {number} region */
  pickRegion(region) {
    this.region = region;
    this.lesion = null;
    byId("regions").querySelectorAll("input")[region].checked = true;
    this.pick(this.tool);
  }

  listPieces() {
    if (byId("for-pieces").hidden || this.lesion) return; // while a border is moved, the list stays
    this.pieces.list(this.mask, this.region, this.probability, this.ml);
  }

  /** Updates the controls after the crosshair has moved. */
  moved() {
    if (!this.mask) return;
    const voxel = this.canvas.voxel, at = this.index(voxel), { regions, shape } = this.mask;
    AXES.forEach((axis, n) => {
      byId(axis).value = voxel[n];
      byId(axis).nextElementSibling.textContent = `${voxel[n] + 1} of ${shape[n]}`;
    });
    const here = regions.filter((_, n) => this.mask.numbers(n).has(this.mask.values[at])).map((one) => one.title);
    const map = this.probability;
    byId("place").textContent = `At the crosshair: ${here.join(", ") || "no tumour"}` + (map ? `; network score ${(map[at] / 255).toFixed(2)}, threshold ${(MARKED / 255).toFixed(2)}` : "");
    if (this.tool === "border" && !(this.lesion && this.lesion.includes(at))) this.resetBorder();
    if (this.tool === "border") byId("lesion").textContent = this.described(this.lesion || this.lesionHere(), "No lesion under the crosshair.");
    this.pieces.show(at);
    if (this.tool === "fragment") this.describeFragment(at);
  }

  /** @param {number} at */
  describeFragment(at) {
    const had = document.activeElement, there = this.mask.fragment(at, this.region);
    const back = there.length || !this.probability ? [] : this.mask.dropped(at, this.region, this.probability);
    byId("toggle-fragment").disabled = !there.length && !back.length;
    byId("toggle-fragment").textContent = back.length ? "Bring it back" : "Remove it";
    byId("keep-fragment").disabled = !there.length;
    byId("fragment").textContent = back.length
      ? this.described(back, "") + " marked by the network, not in the mask."
      : this.described(there, "No fragment under the crosshair: click one, or choose one in the list.");
    passFocus(had, byId("pieces"));
  }

  /** @param {number[]} voxels @param {string} none */
  described(voxels, none) {
    return voxels.length ? `Under the crosshair: ${(voxels.length * this.ml).toFixed(2)} ml` : none;
  }

  /** Updates all that depends on the mask: buttons, volumes, fragments, status. */
  update() {
    const had = document.activeElement;
    byId("undo").disabled = !this.mask.done.length;
    byId("redo").disabled = !this.mask.undone.length;
    byId("undo").textContent = this.mask.done.length ? `Undo (${this.mask.done.length})` : "Undo";
    byId("redo").textContent = this.mask.undone.length ? `Redo (${this.mask.undone.length})` : "Redo";
    byId("save").disabled = this.saving || !this.dirty;
    passFocus(had, byId(byId("undo").disabled ? "redo" : "undo"));
    this.listPieces();
    const sizes = this.mask.sizes();
    byId("sizes").textContent = this.mask.regions.map(({ name, title }) => `${title} ${(sizes[name] * this.ml).toFixed(2)} ml`).join(", ");
    this.moved();
    this.changed();
  }

  /** Shows the chosen image and map. An image that loads slowly is not shown once another one was chosen. */
  async compose() {
    const own = ++this.composing;
    const [image, map] = [byId("image").value, byId("map").value];
    try {
      if (!this.canvas.layers.has(image)) await this.canvas.read(image, await this.load(image));
    } catch (problem) {
      if (own === this.composing) byId("image").value = this.image;
      return this.tell(problem);
    }
    if (own !== this.composing) return;
    this.image = image;
    this.canvas.compose(image, map || undefined);
    this.canvas.redraw();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.key === "Tab" || event.altKey) return;
    const shortcut = event.ctrlKey || event.metaKey;
    const { canvas } = this, [x, y, z] = canvas.voxel;
    const size = byId("size");
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowUp: () => { canvas.voxel = [x, y + 1, z]; }, ArrowDown: () => { canvas.voxel = [x, y - 1, z]; },
      ArrowLeft: () => { canvas.voxel = [x + 1, y, z]; }, ArrowRight: () => { canvas.voxel = [x - 1, y, z]; },
      PageUp: () => { canvas.voxel = [x, y, z + 1]; }, PageDown: () => { canvas.voxel = [x, y, z - 1]; },
      " ": () => this.use(), u: () => this.step("undo"), y: () => this.step("redo"),
      r: () => this.pickRegion((this.region + 1) % this.mask.regions.length),
      "[": () => this.slide(size, Number(size.value) - 1), "]": () => this.slide(size, Number(size.value) + 1),
      o: () => this.slide(byId("opacity"), Number(byId("opacity").value) ? 0 : 0.4),
      "+": () => canvas.zoom(1.25), "=": () => canvas.zoom(1.25), "-": () => canvas.zoom(0.8),
    };
    const tool = KEYS[/** @type {keyof typeof KEYS} */ (event.key)];
    const letter = event.key.toLowerCase(); // Caps Lock changes event.key
    const history = letter === "z" ? (event.shiftKey ? "redo" : "undo") : letter === "y" ? "redo" : null;
    if (shortcut && history) this.step(/** @type {"undo" | "redo"} */ (history));
    else if (shortcut) return; // of the browser
    else if (tool) this.pick(tool);
    else if (acts[event.key]) acts[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {HTMLInputElement} input @param {number} value */
  slide(input, value) {
    input.value = String(value);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  listen() {
    const { canvas } = this;
    canvas.element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.onKey(event), true);
    canvas.element.addEventListener("keyup", (/** @type {Event} */ event) => event.stopPropagation(), true);
    canvas.element.addEventListener("click", () => { if (this.tool === "fragment") this.toggleFragment(); });
    byId("tools").addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
    byId("tools").addEventListener("change", (/** @type {any} */ { target }) => {
      if (target.name === "tool") this.pick(target.value);
      else if (target.name === "region") this.pickRegion(Number(target.value));
      else if (target.name === "planes") canvas.show(target.value);
      else if (target.id === "level") this.dropEmptyStep();
      else if (target.id === "image" || target.id === "map") this.compose();
    });
    byId("tools").addEventListener("input", (/** @type {any} */ { target }) => this.slid(target));
    for (const [id, act] of /** @type {[string, () => void][]} */ ([
      ["undo", () => this.step("undo")], ["redo", () => this.step("redo")], ["zoom-in", () => canvas.zoom(1.25)], ["zoom-out", () => canvas.zoom(0.8)],
      ["toggle-fragment", () => this.toggleFragment()], ["keep-fragment", () => this.keepFragment()],
    ])) byId(id).addEventListener("click", act);
  }

  /** @param {any} input */
  slid(input) {
    const value = Number(input.value);
    if (input.id === "level") return this.moveBorder();
    if (AXES.includes(input.id)) { this.canvas.voxel = AXES.map((axis) => Number(byId(axis).value)); return; }
    if (input.id === "size") {
      input.nextElementSibling.textContent = input.value;
      this.pick(this.tool);
    }
    if (input.id === "opacity") {
      input.nextElementSibling.textContent = `${Math.round(100 * value)} %`;
      this.canvas.setOpacity(value);
    }
  }
}

/** @param {any} region @param {number} n */
function choice(region, n) {
  const input = element("input", { type: "radio", name: "region", value: String(n) });
  if (!n) input.setAttribute("checked", "");
  const swatch = element("i", {});
  swatch.style.background = region.colour; // by the object model, which the content security policy allows
  return element("label", {}, input, element("span", {}, swatch, region.title));
}
