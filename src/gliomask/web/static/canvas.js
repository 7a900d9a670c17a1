// View of the images and the mask, and drawing on it, by NiiVue. All layers share one voxel index:
// x, y, z of the patient (RAS), independent of the order in the files.

/* global niivue */

const PLANES = { axial: 0, coronal: 1, sagittal: 2 };

export class Canvas {
  /** @param {HTMLCanvasElement} element @param {() => void} onMove called when the crosshair has moved @param {() => void} onStroke called at the end of a stroke */
  constructor(element, onMove, onStroke) {
    this.element = element;
    this.onMove = onMove;
    this.onStroke = onStroke;
    /** @type {any} */
    this.nv = null;
    /** @type {Map<string, any>} */
    this.layers = new Map();
    this.planes = "three";
  }

  async start() {
    const { DRAG_MODE, SLICE_TYPE, SHOW_RENDER, Niivue } = /** @type {any} */ (window).niivue;
    this.nv = new Niivue({
      isRadiologicalConvention: true, sagittalNoseLeft: true, isOrientationTextVisible: true,
      isCornerOrientationText: false, showAllOrientationMarkers: true, fontColor: [0.85, 0.85, 0.85, 1],
      crosshairColor: [0.2, 0.75, 1, 0.7], crosshairWidth: 0.25, crosshairWidthUnit: "percent", crosshairGap: 6,
      isForceMouseClickToVoxelCenters: true, dragAndDropEnabled: false, isColorbar: false, logLevel: "error",
      loadingText: "", multiplanarShowRender: SHOW_RENDER.NEVER, sliceType: SLICE_TYPE.MULTIPLANAR,
      longTouchTimeout: 2e9, doubleTouchTimeout: 0, // a long stroke is no long touch, and two quick strokes are no double touch
      mouseEventConfig: {
        leftButton: { primary: DRAG_MODE.crosshair, withShift: DRAG_MODE.pan, withCtrl: DRAG_MODE.pan },
        rightButton: DRAG_MODE.windowing, centerButton: DRAG_MODE.pan,
      },
      touchEventConfig: { singleTouch: DRAG_MODE.crosshair, doubleTouch: DRAG_MODE.pan },
    });
    await this.nv.attachToCanvas(this.element);
    this.nv.onLocationChange = () => this.onMove();
    for (const name of ["mouseup", "mouseleave", "touchend", "touchcancel"]) {
      this.element.addEventListener(name, () => this.endStroke());
    }
    new ResizeObserver(() => this.show(this.planes)).observe(/** @type {Element} */ (this.element.parentElement));
  }

  /** Reads a layer. @param {string} name @param {Blob} content NIfTI @param {string} colours */
  async read(name, content, colours = "gray") {
    const { NVImage } = /** @type {any} */ (window).niivue;
    const file = new File([content], `${name}.nii.gz`);
    const layer = await NVImage.loadFromFile({ file, name: file.name, colormap: colours, colorbarVisible: false });
    this.layers.set(name, layer);
    return layer;
  }

  /** Shows an image, with an optional layer over it. @param {string} image @param {string} [over] */
  compose(image, over) {
    const shown = over ? [this.layers.get(image), this.layers.get(over)] : [this.layers.get(image)];
    shown[0].opacity = 1;
    if (over) Object.assign(shown[1], { opacity: 0.35, cal_min: 8, cal_max: 255 });
    [this.nv.volumes, this.nv.back, this.nv.overlays] = [shown, shown[0], shown.slice(1)];
    this.nv.updateGLVolume();
  }

  /** The voxels of a layer along x, y, z. @param {string} name @returns {Uint8Array} */
  values(name) {
    const { img, dimsRAS, img2RASstep: step, img2RASstart: start } = this.layers.get(name);
    const [, nx, ny, nz] = dimsRAS;
    const found = new Uint8Array(nx * ny * nz);
    for (let z = 0, at = 0; z < nz; z++) {
      for (let y = 0; y < ny; y++) {
        const row = start[0] + start[1] + y * step[1] + start[2] + z * step[2];
        for (let x = 0; x < nx; x++, at++) found[at] = img[row + x * step[0]];
      }
    }
    return found;
  }

  /** @returns {number[]} voxels along x, y, z */
  get shape() {
    return this.nv.back.dimsRAS.slice(1, 4);
  }

  /** @returns {Uint8Array} the drawing, which the pen changes */
  get drawn() {
    return this.nv.drawBitmap;
  }

  /** Sets the drawing and its colours. @param {Uint8Array} values @param {import("./mask.js").Region[]} regions */
  draw(values, regions) {
    const table = { R: [0], G: [0], B: [0], A: [0], I: [0], labels: [""] };
    for (const one of [...regions].sort((a, b) => a.number - b.number)) {
      [table.R, table.G, table.B].forEach((channel, n) => channel.push(parseInt(one.colour.slice(1 + 2 * n, 3 + 2 * n), 16)));
      table.A.push(255);
      table.I.push(one.number);
      table.labels.push(one.title);
    }
    this.nv.setDrawColormap(table);
    this.nv.setDrawingEnabled(true);
    this.nv.drawBitmap.set(values);
    this.redraw();
  }

  /** Shows ``drawn`` after a change. */
  redraw() {
    this.nv.refreshDrawing(true, false);
  }

  /** @param {number | null} number of the pen; null turns the pen off @param {boolean} filled @param {number} size in voxels */
  setPen(number, filled, size) {
    this.nv.opts.drawingEnabled = number !== null;
    this.nv.opts.penSize = size;
    this.nv.setPenValue(number ?? 0, filled);
  }

  /** Completes a stroke. NiiVue itself does not complete strokes that leave the picture. */
  endStroke() {
    if (this.nv.drawPenFillPts.length > 0) this.nv.drawPenFilled();
    this.nv.drawPenLocation = [NaN, NaN, NaN];
    this.nv.drawPenAxCorSag = -1;
    this.nv.drawClearAllUndoBitmaps(); // the mask has its own history
    this.onStroke();
  }

  /** @param {number} opacity of the drawing */
  setOpacity(opacity) {
    this.nv.setDrawOpacity(opacity);
  }

  /** @param {string} planes ``three``, or the name of one plane */
  show(planes) {
    this.planes = planes;
    this.nv.crosshairs3D = null; // otherwise NiiVue keeps its old geometry
    if (planes in PLANES) {
      this.nv.clearCustomLayout();
      this.nv.setSliceType(PLANES[/** @type {keyof typeof PLANES} */ (planes)]);
      return;
    }
    const { clientWidth, clientHeight } = /** @type {Element} */ (this.element.parentElement);
    const places = clientWidth > 1.1 * clientHeight
      ? [[0, 0, 0.62, 1], [0.62, 0, 0.38, 0.5], [0.62, 0.5, 0.38, 0.5]]
      : [[0, 0, 1, 0.64], [0, 0.64, 0.49, 0.36], [0.51, 0.64, 0.49, 0.36]];
    this.nv.setCustomLayout(places.map((position, sliceType) => ({ sliceType, position })));
    this.nv.setSliceType(3);
  }

  /** @returns {number[]} x, y, z of the crosshair */
  get voxel() {
    const found = Array.from(this.nv.frac2vox(this.nv.scene.crosshairPos));
    return found.map((n, axis) => Math.min(Math.max(Math.round(n), 0), this.shape[axis] - 1));
  }

  set voxel(wanted) {
    const kept = wanted.map((n, axis) => Math.min(Math.max(n, 0), this.shape[axis] - 1));
    this.nv.scene.crosshairPos = this.nv.vox2frac(kept);
    this.nv.drawScene();
    this.onMove();
  }

  /** @param {number} factor */
  zoom(factor) {
    const [x, y, z, old] = this.nv.scene.pan2Dxyzmm;
    const scale = Math.min(Math.max(old * factor, 0.5), 12);
    const mm = this.nv.frac2mm(this.nv.scene.crosshairPos);
    this.nv.scene.pan2Dxyzmm = [...[x, y, z].map((pan, axis) => pan + (old - scale) * mm[axis]), scale];
    this.nv.opts.crosshairWidth = 0.25 / scale;
    this.nv.crosshairs3D = null;
    this.nv.drawScene();
  }

  /** @returns {Promise<Blob>} the drawing as NIfTI, on the grid of the image's file */
  async saved() {
    const content = await this.nv.saveImage({ filename: "", isSaveDrawing: true });
    if (!(content instanceof Uint8Array)) throw new Error("the mask could not be saved");
    return new Blob([/** @type {BlobPart} */ (content)]);
  }
}
