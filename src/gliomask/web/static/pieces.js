// List of the fragments of a region, so that each can be reached without a pointer.

import { byId, element } from "./elements.js";
import { central } from "./mask.js";

/** @typedef {import("./mask.js").Mask} Mask */

const MOST = 40; // entries in the list

export class Pieces {
  /** @param {(voxel: number) => void} go called with a voxel of the fragment that is chosen */
  constructor(go) {
    /** Number of the entry that each voxel belongs to; 0 for none. @type {Uint8Array} */
    this.entry = new Uint8Array(0);
    const list = byId("pieces");
    list.addEventListener("change", () => { if (list.value) go(Number(list.value)); });
  }

  /**
   * Lists the fragments of a region, largest first, then those that only the network marked.
   * @param {Mask} mask @param {number} region @param {Uint8Array | undefined} probability @param {number} ml of a voxel
   */
  list(mask, region, probability, ml) {
    const pieces = mask.fragments(region).map((voxels) => ({ voxels, note: "" }));
    if (probability) pieces.push(...mask.allDropped(region, probability).map((voxels) => ({ voxels, note: ", not in the mask" })));
    this.entry = new Uint8Array(mask.values.length);
    const options = pieces.slice(0, MOST).map(({ voxels, note }, n) => {
      for (const voxel of voxels) this.entry[voxel] = n + 1;
      const size = voxels.length * ml, text = `${n + 1}: ${size < 0.005 ? "< 0.01" : size.toFixed(2)} ml${note}`;
      return element("option", { value: String(central(voxels, mask.shape)) }, text);
    });
    byId("pieces").replaceChildren(element("option", { value: "" }, "none at the crosshair"), ...options);
  }

  /** Selects the entry of the fragment at the crosshair. @param {number} voxel */
  show(voxel) {
    byId("pieces").selectedIndex = this.entry[voxel] || 0;
  }
}
