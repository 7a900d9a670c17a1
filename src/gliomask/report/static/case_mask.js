/* Drawing of the mask of a case page: pure functions of its numbers and the regions shown.
   Regions are nested, so a voxel is drawn as the innermost region that is shown. */
"use strict";
const caseMask = {
  /* Name of the region drawn for each number of the mask; null for none. */
  drawn(settings, shown) {
    const names = [null, null, null, null];
    for (const [number, regions] of Object.entries(settings.labels)) {
      names[Number(number)] = regions.find((region) => shown.has(region)) || null;
    }
    return names;
  },

  /* Colour table of labels in NiiVue's format. */
  colours(settings, names) {
    const table = { R: [0], G: [0], B: [0], A: [0], I: [0], labels: [""] };
    for (const number of Object.keys(settings.labels)) {
      const region = settings.regions.find((one) => one.name === names[Number(number)]);
      const colour = region ? region.colour : "#000000";
      table.R.push(parseInt(colour.slice(1, 3), 16));
      table.G.push(parseInt(colour.slice(3, 5), 16));
      table.B.push(parseInt(colour.slice(5, 7), 16));
      table.A.push(region ? 255 : 0);
      table.I.push(Number(number));
      table.labels.push(region ? region.title : "");
    }
    return table;
  },

  /* Voxels of the mask at the border of a drawn region in their axial slice. */
  border(marks, [nx, ny, nz], names) {
    const kept = new Uint8Array(marks.length);
    const beside = (at, x, y) =>
      [x > 0 ? at - 1 : at, x < nx - 1 ? at + 1 : at, y > 0 ? at - nx : at, y < ny - 1 ? at + nx : at];
    for (let z = 0, at = 0; z < nz; z++) {
      for (let y = 0; y < ny; y++) {
        for (let x = 0; x < nx; x++, at++) {
          const name = names[marks[at]];
          if (name && beside(at, x, y).some((next) => names[marks[next]] !== name)) {
            kept[at] = marks[at];
          }
        }
      }
    }
    return kept;
  },
};
