// Mask under correction: regions, fragments, border along probabilities, undo and redo.
// No drawing here. A mask is an array of numbers, with voxels in the order x, y, z (x fastest).

/** @typedef {{name: string, title: string, number: number, colour: string}} Region listed from the outermost to the innermost */

/** @typedef {{at: Uint32Array, old: Uint8Array}} Step changed voxels and their previous numbers */

export const MARKED = 128; // smallest stored probability of voxels that the network marked

/** Mask with its history. */
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

  /** @param {number} region index @returns {Set<number>} numbers of voxels in the region */
  numbers(region) {
    return new Set(this.regions.slice(region).map((one) => one.number));
  }

  /** Adds voxels to a region or removes them, as one step of the history.
   * @param {Iterable<number>} voxels @param {number} region @param {boolean} belongs @returns {number} count of changed voxels */
  change(voxels, region, belongs) {
    /** @type {number[]} */
    const at = [];
    /** @type {number[]} */
    const old = [];
    const inside = this.numbers(region);
    const outer = region ? this.regions[region - 1].number : 0;
    const number = belongs ? this.regions[region].number : outer;
    for (const voxel of voxels) {
      if (inside.has(this.values[voxel]) === belongs) continue; // inner regions are kept
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

  /** The fragment of a region at a voxel; empty outside the region.
   * @param {number} voxel @param {number} region @returns {number[]} */
  fragment(voxel, region) {
    const inside = this.numbers(region);
    return connected([voxel], (at) => inside.has(this.values[at]), this.shape);
  }

  /** The fragment at a voxel that the network marked and the region does not contain (any more).
   * @param {number} voxel @param {number} region @param {Uint8Array} probability @returns {number[]} */
  dropped(voxel, region, probability) {
    const inside = this.numbers(region);
    return connected([voxel], (at) => probability[at] >= MARKED && !inside.has(this.values[at]), this.shape);
  }

  /** All fragments of a region, largest first. @param {number} region @returns {number[][]} */
  fragments(region) {
    const inside = this.table(region);
    return components((at) => inside[this.values[at]] === 1, this.shape);
  }

  /** All fragments that the network marked and the region does not contain (any more), largest first.
   * @param {number} region @param {Uint8Array} probability @returns {number[][]} */
  allDropped(region, probability) {
    const inside = this.table(region);
    return components((at) => probability[at] >= MARKED && !inside[this.values[at]], this.shape);
  }

  /** @param {number} region @returns {Uint8Array} 1 for each number of its voxels */
  table(region) {
    const found = new Uint8Array(256);
    for (const number of this.numbers(region)) found[number] = 1;
    return found;
  }

  /** All of a region but one fragment. @param {number[]} fragment @param {number} region @returns {number[]} */
  others(fragment, region) {
    const inside = this.numbers(region), kept = new Set(fragment);
    /** @type {number[]} */
    const found = [];
    this.values.forEach((number, at) => { if (inside.has(number) && !kept.has(at)) found.push(at); });
    return found;
  }

  /** @returns {number | null} the marked voxel nearest to the centroid of the axial slice with most marked voxels; null for an empty mask */
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
 * Lesion with its border moved to another probability: smaller if it is above the threshold of the
 * network, larger if it is below. The result is connected to the original lesion.
 * @param {number[]} lesion its original voxels
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
 * Voxels that are connected with the seeds by faces, edges or corners.
 * @param {number[]} seeds
 * @param {(at: number) => boolean} inside
 * @param {number[]} shape
 * @param {Uint8Array} visited voxels that were visited before; those found are added
 * @returns {number[]}
 */
export function connected(seeds, inside, [nx, ny, nz], visited = new Uint8Array(nx * ny * nz)) {
  const found = [];
  for (const seed of seeds) if (!visited[seed] && inside(seed)) { visited[seed] = 1; found.push(seed); }
  for (let next = 0; next < found.length; next++) {
    const at = found[next], x = at % nx, y = Math.floor(at / nx) % ny, z = Math.floor(at / (nx * ny));
    for (let k = Math.max(z - 1, 0); k <= Math.min(z + 1, nz - 1); k++) {
      for (let j = Math.max(y - 1, 0); j <= Math.min(y + 1, ny - 1); j++) {
        for (let i = Math.max(x - 1, 0); i <= Math.min(x + 1, nx - 1); i++) {
          const to = i + nx * (j + ny * k);
          if (!visited[to] && inside(to)) { visited[to] = 1; found.push(to); }
        }
      }
    }
  }
  return found;
}

/**
 * Connected components, largest first.
 * @param {(at: number) => boolean} inside
 * @param {number[]} shape
 * @returns {number[][]}
 */
function components(inside, shape) {
  const visited = new Uint8Array(shape[0] * shape[1] * shape[2]), found = [];
  for (let at = 0; at < visited.length; at++) if (!visited[at] && inside(at)) found.push(connected([at], inside, shape, visited));
  return found.sort((a, b) => b.length - a.length);
}

/** The voxel of a fragment that is nearest to its centroid. @param {number[]} voxels @param {number[]} shape @returns {number} */
export function central(voxels, [nx, ny]) {
  const place = (/** @type {number} */ at) => [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
  const mean = [0, 0, 0];
  for (const at of voxels) place(at).forEach((n, axis) => { mean[axis] += n / voxels.length; });
  let best = voxels[0], least = Infinity;
  for (const at of voxels) {
    const away = place(at).reduce((sum, n, axis) => sum + (n - mean[axis]) ** 2, 0);
    if (away < least) [best, least] = [at, away];
  }
  return best;
}

/**
 * Square of voxels around a voxel, in a plane.
 * @param {number[]} voxel @param {number} size along each side
 * @param {number} across axis perpendicular to the plane
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
