// A mask as it is corrected: regions, fragments, a border along probabilities, and what is undone.
// Nothing here draws. A mask is an array of numbers; its voxels run along x, then y, then z.

/** @typedef {{name: string, title: string, number: number, colour: string}} Region from the outermost to the innermost */

/** @typedef {{at: Uint32Array, old: Uint8Array}} Step voxels that changed, and what they were */

export const MARKED = 128; // the least stored probability that the network marked

/** A mask and its history. */
export class Mask {
  /**
   * @param {Uint8Array} values
   * @param {number[]} shape voxels along x, y and z
   * @param {Region[]} regions
   */
  constructor(values, shape, regions) {
    this.values = values;
    this.shape = shape;
    this.regions = regions;
    /** @type {Step[]} */
    this.undone = [];
    /** @type {Step[]} */
    this.done = [];
  }

  /** @param {number} region its place among the regions @returns {Set<number>} the numbers of its voxels */
  numbers(region) {
    return new Set(this.regions.slice(region).map((one) => one.number));
  }

  /** Puts voxels into a region or takes them out, as one step that can be undone.
   * @param {Iterable<number>} voxels @param {number} region @param {boolean} belongs @returns {number} voxels that changed */
  change(voxels, region, belongs) {
    /** @type {number[]} */
    const at = [];
    /** @type {number[]} */
    const old = [];
    const inside = this.numbers(region);
    const outer = region ? this.regions[region - 1].number : 0;
    const number = belongs ? this.regions[region].number : outer;
    for (const voxel of voxels) {
      if (inside.has(this.values[voxel]) === belongs) continue; // the regions inside it stay
      at.push(voxel);
      old.push(this.values[voxel]);
      this.values[voxel] = number;
    }
    if (at.length) this.remember(Uint32Array.from(at), Uint8Array.from(old));
    return at.length;
  }

  /** @param {Uint32Array} at @param {Uint8Array} old */
  remember(at, old) {
    this.done.push({ at, old });
    this.undone = [];
  }

  /** @returns {boolean} whether there was a step to undo */
  undo() {
    return this.swap(this.done, this.undone);
  }

  /** @returns {boolean} whether there was a step to do again */
  redo() {
    return this.swap(this.undone, this.done);
  }

  /** @param {Step[]} from @param {Step[]} to */
  swap(from, to) {
    const step = from.pop();
    if (!step) return false;
    const now = Uint8Array.from(step.at, (voxel) => this.values[voxel]);
    step.at.forEach((voxel, n) => { this.values[voxel] = step.old[n]; });
    step.old = now;
    to.push(step);
    return true;
  }

  /** The fragment of a region that a voxel lies in; none if it does not.
   * @param {number} voxel @param {number} region @returns {number[]} */
  fragment(voxel, region) {
    const inside = this.numbers(region);
    return connected([voxel], (at) => inside.has(this.values[at]), this.shape);
  }

  /** What the network marked around a voxel and the region does not have (any longer).
   * @param {number} voxel @param {number} region @param {Uint8Array} probability @returns {number[]} */
  dropped(voxel, region, probability) {
    const inside = this.numbers(region);
    return connected([voxel], (at) => probability[at] >= MARKED && !inside.has(this.values[at]), this.shape);
  }

  /** All of a region but one fragment. @param {number[]} fragment @param {number} region @returns {number[]} */
  others(fragment, region) {
    const inside = this.numbers(region), kept = new Set(fragment);
    /** @type {number[]} */
    const found = [];
    this.values.forEach((number, at) => { if (inside.has(number) && !kept.has(at)) found.push(at); });
    return found;
  }

  /** @returns {number | null} the marked voxel nearest to the middle of the axial slice that has most; null of an empty mask */
  middle() {
    const [nx, ny, nz] = this.shape;
    const counts = Array.from({ length: nz }, (_, z) => this.values.subarray(z * nx * ny, (z + 1) * nx * ny).reduce((n, value) => n + (value ? 1 : 0), 0));
    const most = Math.max(...counts);
    if (!most) return null;
    const first = counts.indexOf(most) * nx * ny;
    /** @type {number[]} */
    const marked = [];
    for (let at = 0; at < nx * ny; at++) if (this.values[first + at]) marked.push(at);
    const mean = [(/** @type {number} */ at) => at % nx, (/** @type {number} */ at) => Math.floor(at / nx)].map((of) => marked.reduce((sum, at) => sum + of(at), 0) / marked.length);
    const away = (/** @type {number} */ at) => Math.hypot((at % nx) - mean[0], Math.floor(at / nx) - mean[1]);
    return first + marked.reduce((best, at) => (away(at) < away(best) ? at : best));
  }

  /** @returns {Record<string, number>} region -> voxels */
  sizes() {
    const counts = new Array(256).fill(0);
    for (const number of this.values) counts[number] += 1;
    return Object.fromEntries(this.regions.map((one, region) => [
      one.name, [...this.numbers(region)].reduce((sum, number) => sum + counts[number], 0),
    ]));
  }
}

/**
 * A lesion whose border lies at another probability: smaller than it is where that is higher than
 * the network's own, larger where it is lower. It stays connected to what it was.
 * @param {number[]} lesion its voxels as they were
 * @param {Uint8Array} probability
 * @param {number} level from 1 to 255
 * @param {number[]} shape
 * @returns {Set<number>}
 */
export function moved(lesion, probability, level, shape) {
  if (level >= MARKED) {
    return new Set(level === MARKED ? lesion : lesion.filter((at) => probability[at] >= level));
  }
  const own = new Set(lesion);
  return new Set(connected(lesion, (at) => own.has(at) || probability[at] >= level, shape));
}

/**
 * The voxels that hang together with some, over faces, edges and corners.
 * @param {number[]} seeds
 * @param {(at: number) => boolean} inside
 * @param {number[]} shape
 * @returns {number[]}
 */
export function connected(seeds, inside, [nx, ny, nz]) {
  const seen = new Uint8Array(nx * ny * nz);
  const found = [];
  for (const seed of seeds) if (!seen[seed] && inside(seed)) { seen[seed] = 1; found.push(seed); }
  for (let next = 0; next < found.length; next++) {
    const at = found[next], x = at % nx, y = Math.floor(at / nx) % ny, z = Math.floor(at / (nx * ny));
    for (let k = Math.max(z - 1, 0); k <= Math.min(z + 1, nz - 1); k++) {
      for (let j = Math.max(y - 1, 0); j <= Math.min(y + 1, ny - 1); j++) {
        for (let i = Math.max(x - 1, 0); i <= Math.min(x + 1, nx - 1); i++) {
          const to = i + nx * (j + ny * k);
          if (!seen[to] && inside(to)) { seen[to] = 1; found.push(to); }
        }
      }
    }
  }
  return found;
}

/**
 * A square of voxels around one, in a plane.
 * @param {number[]} voxel @param {number} size along each side
 * @param {number} across the axis that does not run in the plane
 * @param {number[]} shape
 * @returns {number[]}
 */
export function square(voxel, size, across, [nx, ny, nz]) {
  const low = voxel.map((n, axis) => (axis === across ? n : Math.max(n - Math.floor((size - 1) / 2), 0)));
  const high = voxel.map((n, axis) => (axis === across ? n : Math.min(n + Math.floor(size / 2), [nx, ny, nz][axis] - 1)));
  const found = [];
  for (let z = low[2]; z <= high[2]; z++)
    for (let y = low[1]; y <= high[1]; y++)
      for (let x = low[0]; x <= high[0]; x++) found.push(x + nx * (y + ny * z));
  return found;
}
