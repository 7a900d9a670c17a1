/* Viewer of the case page, by NiiVue: layers, window, slices, keys, values at the crosshair.
   Every layer is on the same RAS+ grid, so one voxel index serves them all. */
"use strict";
(function () {
  const byId = (id) => document.getElementById(id);
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const settings = JSON.parse(byId("settings").textContent);
  const root = document.documentElement;
  const layers = new Map();
  const state = { image: settings.first, overlay: "mask", last: "mask", opacity: 0.4, window: {}, planes: "axial" };
  let nv = null;
  let marks = null;

  function fallBack(reason) {
    byId("viewer").hidden = true;
    byId("still").hidden = false;
    byId("fallback").textContent = reason + " This is a picture of the result instead.";
    root.dataset.viewer = "fallback";
  }

  function hasWebGL2() {
    const gl = document.createElement("canvas").getContext("webgl2");
    if (gl) gl.getExtension("WEBGL_lose_context")?.loseContext();
    return Boolean(gl);
  }

  function described(id) {
    return [settings.mask, ...settings.images, ...settings.maps].find((one) => one.id === id);
  }

  async function layer(id) {
    if (!layers.has(id)) {
      const one = described(id);
      const loaded = await niivue.NVImage.loadFromBase64({
        base64: byId("layer-" + id).textContent,
        name: id + ".nii.gz",
        colormap: one.colours || "gray",
        cal_min: one.black,
        cal_max: one.white,
        colorbarVisible: false,
      });
      if (!loaded) throw new Error("layer " + id + " can't be read");
      layers.set(id, loaded);
    }
    return layers.get(id);
  }

  function valueAt(id, voxel) {
    const loaded = layers.get(id);
    return loaded ? loaded.getValue(voxel[0], voxel[1], voxel[2], 0) : null;
  }

  const outlined = () => state.overlay === "mask" && byId("outline").checked;

  function dressMask(mask) {
    const shown = new Set(all("input[name=region]:checked").map((box) => box.value));
    const names = caseMask.drawn(settings, shown);
    mask.setColormapLabel(caseMask.colours(settings, names));
    mask.img = outlined() ? caseMask.border(marks, settings.shape, names) : marks;
  }

  function applyOpacity() {
    for (const one of nv.overlays) one.opacity = state.opacity;
    nv.opts.atlasOutline = outlined() ? Math.sqrt(state.opacity) : 0;
  }

  /* A layer that loads slowly is not shown once another one was chosen. */
  let composing = 0;
  async function compose() {
    const own = ++composing;
    const base = await layer(state.image);
    const shown = state.overlay === "none" ? [] : [await layer(state.overlay)];
    if (own !== composing) return;
    const limits = state.window[state.image];
    if (limits) [base.cal_min, base.cal_max] = limits;
    base.opacity = 1;
    if (state.overlay === "mask") dressMask(shown[0]);
    nv.volumes = [base, ...shown];
    nv.back = base;
    nv.overlays = shown;
    applyOpacity();
    nv.updateGLVolume();
    byId("mask-options").hidden = state.overlay !== "mask";
    for (const legend of all(".legend")) legend.hidden = legend.dataset.map !== state.overlay;
    showWindow();
    showPlace();
  }

  const compact = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

  function setSlider(id, value, text) {
    const input = byId(id);
    if (!input) return;
    input.value = value;
    input.nextElementSibling.textContent = text;
  }

  function showWindow() {
    const one = described(state.image);
    const base = layers.get(state.image);
    const range = one.high - one.low;
    for (const id of ["level", "width"]) {
      byId(id).min = id === "level" ? one.low : range / 200;
      byId(id).max = id === "level" ? one.high : range;
      byId(id).step = range / 200;
    }
    const [level, width] = [(base.cal_min + base.cal_max) / 2, base.cal_max - base.cal_min];
    setSlider("level", level, compact(level));
    setSlider("width", width, compact(width));
  }

  function setWindow(level, width) {
    const base = layers.get(state.image);
    if (!base) return; // it is still being loaded
    state.window[state.image] = [level - width / 2, level + width / 2];
    [base.cal_min, base.cal_max] = state.window[state.image];
    nv.updateGLVolume();
    showWindow();
  }

  function voxelNow() {
    return Array.from(nv.frac2vox(nv.scene.crosshairPos)).map((value, axis) =>
      Math.min(Math.max(Math.round(value), 0), settings.shape[axis] - 1));
  }

  function goTo(voxel) {
    const kept = voxel.map((value, axis) => Math.min(Math.max(value, 0), settings.shape[axis] - 1));
    nv.scene.crosshairPos = nv.vox2frac(kept);
    nv.drawScene();
    showPlace();
  }

  function step(axis, by) {
    const voxel = voxelNow();
    voxel[axis] += by;
    goTo(voxel);
  }

  const times = (matrix, voxel) => matrix.slice(0, 3).map((row) =>
    row[0] * voxel[0] + row[1] * voxel[1] + row[2] * voxel[2] + row[3]);

  function inWords(mm) {
    const sides = [["L", "R"], ["P", "A"], ["I", "S"]];
    return mm.map((value, axis) =>
      sides[axis][value < 0 ? 0 : 1] + " " + Math.abs(value).toFixed(1)).join(", ") + " mm";
  }

  function regionAt(voxel) {
    const [nx, ny] = settings.shape;
    const regions = settings.labels[marks[voxel[0] + nx * (voxel[1] + ny * voxel[2])]];
    if (!regions) return "none";
    return settings.regions.find((one) => one.name === regions[0]).title;
  }

  const countedFrom1 = (voxel, axis) =>
    settings.start[axis] + settings.step[axis] * voxel[axis] + 1;

  function facts(voxel) {
    const image = described(state.image);
    const found = [
      [settings.hasWorld ? "Axial slice" : "Slice", `${countedFrom1(voxel, 2)} of ${settings.whole[2]}`],
      [settings.hasWorld ? "Voxel" : "Column, row, slice", times(settings.toInput, voxel).join(", ")],
    ];
    if (settings.hasWorld) found.push(["Position", inWords(times(settings.affine, voxel))]);
    found.push([image.title, "≈ " + compact(valueAt(state.image, voxel))]);
    found.push(["Region", regionAt(voxel)]);
    const known = settings.maps.filter((map) => layers.has(map.id));
    const values = known.map((map) => [map.region, valueAt(map.id, voxel).toFixed(2)]);
    const probabilities = values.filter(([region]) => region);
    if (probabilities.length) {
      found.push(["Probability", probabilities.map((pair) => pair.join(" ")).join(", ")]);
    }
    for (const [, value] of values.filter(([region]) => !region)) found.push(["Disagreement", value]);
    return found;
  }

  function showPlace() {
    const voxel = voxelNow();
    ["x", "y", "z"].forEach((name, axis) => {
      setSlider("slice-" + name, voxel[axis], String(countedFrom1(voxel, axis)));
    });
    byId("readout").replaceChildren(...facts(voxel).map(([name, value]) => {
      const pair = document.createElement("div");
      pair.append(document.createElement("dt"), document.createElement("dd"));
      pair.firstChild.textContent = name;
      pair.lastChild.textContent = value;
      return pair;
    }));
  }

  function zoom(factor) {
    const [x, y, z, old] = nv.scene.pan2Dxyzmm;
    const scale = Math.min(Math.max(old * factor, 0.5), 12);
    const mm = nv.frac2mm(nv.scene.crosshairPos);
    const kept = [x, y, z].map((pan, axis) => pan + (old - scale) * mm[axis]);
    nv.scene.pan2Dxyzmm = [...kept, scale];
    drawCrosshair();
  }

  /* Constant width at any zoom. NiiVue keeps the geometry until the crosshair moves, hence the null. */
  function drawCrosshair() {
    const width = byId("stage").clientWidth > 600 ? 0.4 : 0.9;
    nv.opts.crosshairWidth = byId("crosshair").checked ? width / nv.scene.pan2Dxyzmm[3] : 0;
    nv.crosshairs3D = null;
    nv.drawScene();
  }

  function setPlanes(name) {
    const kinds = { axial: 0, coronal: 1, sagittal: 2, three: 3, render: 4 };
    state.planes = name;
    if (name === "three") nv.setCustomLayout(threePlanes());
    else nv.clearCustomLayout();
    nv.setSliceType(kinds[name]);
  }

  /* Large axial plane, beside or above the others. */
  function threePlanes() {
    const { clientWidth, clientHeight } = byId("stage");
    const [axial, coronal, sagittal] = clientWidth > 1.1 * clientHeight
      ? [[0, 0, 0.62, 1], [0.62, 0, 0.38, 0.5], [0.62, 0.5, 0.38, 0.5]]
      : [[0, 0, 1, 0.64], [0, 0.64, 0.49, 0.36], [0.51, 0.64, 0.49, 0.36]];
    return [axial, coronal, sagittal].map((position, sliceType) => ({ sliceType, position }));
  }

  function reset() {
    state.window = {};
    const one = described(state.image);
    nv.scene.pan2Dxyzmm = [0, 0, 0, 1];
    drawCrosshair();
    setWindow((one.black + one.white) / 2, one.white - one.black);
  }

  function pick(group, value) {
    state[group] = value;
    if (group === "overlay") byId("overlay").value = value;
    else document.querySelector(`input[name=image][value="${CSS.escape(value)}"]`).checked = true;
    if (group === "overlay" && value !== "none") state.last = value;
    compose().catch((error) => fallBack("The viewer stopped: " + error.message + "."));
  }

  function setOpacity(value) {
    state.opacity = Math.min(Math.max(value, 0), 1);
    setSlider("opacity", state.opacity, Math.round(state.opacity * 100) + " %");
    applyOpacity();
    nv.updateGLVolume();
  }

  const keys = {
    ArrowUp: () => step(2, 1), ArrowDown: () => step(2, -1),
    ArrowLeft: () => settings.hasWorld && step(0, 1), ArrowRight: () => settings.hasWorld && step(0, -1),
    PageUp: () => settings.hasWorld && step(1, 1), PageDown: () => settings.hasWorld && step(1, -1),
    o: () => pick("overlay", state.overlay === "none" ? state.last : "none"),
    "[": () => setOpacity(state.opacity - 0.1), "]": () => setOpacity(state.opacity + 0.1),
    "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), x: () => byId("crosshair").click(),
    0: reset, t: () => settings.found && goTo(settings.open),
  };

  function onKey(event) {
    if (event.key === "Tab" || event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    const image = settings.images[Number(event.key) - 1];
    if (image) pick("image", image.id);
    else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  }

  /* A dragged slider causes more events than pictures can be drawn. */
  function onSlide(ids, act) {
    let scheduled = false;
    for (const id of ids) {
      byId(id)?.addEventListener("input", () => {
        if (scheduled) return;
        scheduled = true;
        requestAnimationFrame(() => {
          scheduled = false;
          act();
        });
      });
    }
  }

  function listen() {
    const stage = byId("stage");
    stage.addEventListener("keydown", onKey, true);
    stage.addEventListener("keyup", (event) => event.stopPropagation(), true);
    stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      event.stopPropagation();
      zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
    }, { capture: true, passive: false });
    stage.addEventListener("dblclick", (event) => {
      event.stopPropagation();
      reset();
    }, true);
    new ResizeObserver(() => state.planes === "three" && setPlanes("three")).observe(stage);
    byId("canvas").addEventListener("webglcontextlost", () => fallBack("The viewer lost the graphics."));
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
    byId("controls").addEventListener("change", (event) => {
      const { name, value, id } = event.target;
      if (name === "planes") setPlanes(value);
      else if (name === "image" || name === "overlay") pick(name, value);
      else if (id === "crosshair") drawCrosshair();
      else if (name === "region" || id === "outline") pick("overlay", "mask");
    });
    onSlide(["opacity"], () => setOpacity(Number(byId("opacity").value)));
    onSlide(["level", "width"], () => setWindow(Number(byId("level").value), Number(byId("width").value)));
    onSlide(["slice-x", "slice-y", "slice-z"], () => {
      const now = voxelNow();
      goTo(["x", "y", "z"].map((name, axis) =>
        byId("slice-" + name) ? Number(byId("slice-" + name).value) : now[axis]));
    });
    byId("zoom-in").addEventListener("click", () => zoom(1.25));
    byId("zoom-out").addEventListener("click", () => zoom(0.8));
    byId("reset").addEventListener("click", reset);
    byId("jump").addEventListener("click", () => goTo(settings.open));
  }

  function prepareSliders() {
    Object.assign(byId("opacity"), { min: 0, max: 1, step: 0.05 });
    ["x", "y", "z"].forEach((name, axis) => {
      const input = byId("slice-" + name);
      if (input) Object.assign(input, { min: 0, max: settings.shape[axis] - 1, step: 1 });
    });
  }

  function options() {
    const { DRAG_MODE, SLICE_TYPE, SHOW_RENDER } = niivue;
    return {
      isRadiologicalConvention: true,
      sagittalNoseLeft: true,
      isOrientationTextVisible: settings.hasWorld,
      isCornerOrientationText: false,
      showAllOrientationMarkers: settings.hasWorld,
      fontColor: [0.85, 0.85, 0.85, 1],
      crosshairColor: [0.2, 0.75, 1, 0.7],
      crosshairGap: 6,
      crosshairWidthUnit: "percent",
      show3Dcrosshair: true,
      isForceMouseClickToVoxelCenters: true,
      dragAndDropEnabled: false,
      isColorbar: false,
      logLevel: "error",
      loadingText: "",
      multiplanarShowRender: SHOW_RENDER.NEVER,
      sliceType: settings.hasWorld ? SLICE_TYPE.MULTIPLANAR : SLICE_TYPE.AXIAL,
      mouseEventConfig: {
        leftButton: { primary: DRAG_MODE.crosshair, withShift: DRAG_MODE.pan, withCtrl: DRAG_MODE.pan },
        rightButton: DRAG_MODE.windowing,
        centerButton: DRAG_MODE.pan,
      },
      touchEventConfig: { singleTouch: DRAG_MODE.crosshair, doubleTouch: DRAG_MODE.pan },
    };
  }

  async function start() {
    if (!hasWebGL2()) {
      fallBack("This browser offers no WebGL 2, which the viewer needs.");
      return;
    }
    byId("viewer").hidden = false;
    nv = new niivue.Niivue(options());
    await nv.attachToCanvas(byId("canvas"));
    nv.onLocationChange = showPlace;
    nv.onIntensityChange = (volume) => {
      state.window[state.image] = [volume.cal_min, volume.cal_max];
      showWindow();
    };
    prepareSliders();
    marks = (await layer("mask")).img;
    await compose();
    setOpacity(state.opacity);
    setPlanes(settings.hasWorld ? "three" : "axial");
    goTo(settings.open);
    drawCrosshair();
    listen();
    byId("still").hidden = true;
    root.dataset.viewer = "ready";
    for (const map of settings.maps) await layer(map.id);
    showPlace();
    window.gliomask = { nv, settings };
    root.dataset.maps = "ready";
  }

  start().catch((error) => fallBack("The viewer could not start: " + error.message + "."));
})();
