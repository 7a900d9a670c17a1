// The page for corrections: loads an examination and its mask, starts the tools, saves.

import { addressOf, ask, fetched } from "./api.js";
import { Canvas } from "./canvas.js";
import { byId } from "./elements.js";
import { show } from "./history.js";
import { Mask } from "./mask.js";
import { Tools } from "./tools.js";

const asked = new URLSearchParams(location.hash.slice(1));
const job = asked.get("job") || "";
/** @type {Tools} */
let tools;
/** @type {any} the case, from the server */
let current = null;
/** The mask in the editor: its checksum, and the number of its correction; 0 is the network's mask. */
let base = { sha256: "", number: 0 };
/** Number of masks that were loaded or saved, for those that are overtaken. */
let loading = 0;

/** @param {unknown} problem */
function tell(problem) {
  byId("problem").textContent = problem instanceof Error ? problem.message : String(problem);
}

/** @param {string} name of a layer @returns {Promise<Blob>} */
async function layer(name) {
  return fetched(`/jobs/${job}/layers/${name}?case=${encodeURIComponent(current.case)}`);
}

/** Gets the case and its corrections, and shows these. @returns {Promise<void>} */
async function look() {
  const found = await ask("GET", `/jobs/${job}/corrections`);
  const wanted = asked.get("case");
  const fitting = found.cases.find((/** @type {any} */ one) => !wanted || one.case === wanted);
  if (!fitting) throw new Error("this examination has no mask to correct: only masks of volumes can be corrected, and only while their results are stored");
  current = fitting;
  byId("title").textContent = `Correct ${current.case}`;
  const own = found.corrections.filter((/** @type {any} */ one) => one.case === current.case);
  show(own, found.reader, (one, kind) => addressOf(job, `${kind}-${one.number}`, one.case), act);
}

/** @param {string} method @param {number} number @param {string} end of the path */
async function act(method, number, end) {
  try {
    if (tools.saving) throw new Error("A correction is being saved: try again afterwards.");
    const step = tools.last, replace = !tools.dirty || (end === "" && confirm("Unsaved changes will be lost. Withdraw the correction?"));
    if (end === "" && !replace) return;
    await ask(method, `/jobs/${job}/correction/${number}${end}`);
    byId("problem").textContent = "";
    await look();
    if (current.sha256 === base.sha256) return;
    if (!replace || !(await begin(step))) tell("The newest mask is another one now, because a correction was withdrawn or saved meanwhile. The editor still shows your unsaved changes to the mask before: to see the newest, reload the page.");
  } catch (problem) {
    tell(problem);
  }
}

/**
 * Loads the newest mask into the editor, unless something was drawn after a step of the present one.
 * @param {import("./mask.js").Step | undefined} step the last one that may be lost
 * @returns {Promise<boolean>} false if something was drawn
 */
async function begin(step) {
  const own = ++loading, newest = current, canvas = tools.canvas;
  await canvas.read("current", await layer("current"));
  if (own !== loading) return true; // a later call or a save has its own mask
  if (tools.saving || tools.last !== step) return false;
  const mask = new Mask(canvas.values("current"), canvas.shape, newest.regions);
  base = { sha256: newest.sha256, number: newest.number };
  tools.take(mask, newest.voxel_ml);
  describe();
  return true;
}

/** Says which mask is shown, and whether it has been changed. */
function describe() {
  const shown = base.number ? `correction ${base.number}` : "the network's mask";
  const state = tools.dirty ? `Unsaved changes to ${shown}.` : `This is ${shown}.`;
  byId("status").textContent = tools.saving ? "Saving …" : state;
}

async function save() {
  const pressed = document.activeElement === byId("save"), before = tools.kept;
  const step = tools.save(); // drawing may go on meanwhile
  if (pressed) byId("status").focus();
  try {
    const query = `base=${base.sha256}&case=${encodeURIComponent(current.case)}`;
    const made = await ask("PUT", `/jobs/${job}/correction?${query}`, { body: await tools.canvas.saved() });
    loading++;
    base = { sha256: made.sha256, number: made.number };
    tools.saved(step);
    byId("problem").textContent = made.notes.join("; ");
    await look().catch(tell);
    byId("status").textContent = `Saved as correction ${made.number}.` + (tools.dirty ? " There are newer changes." : "");
  } catch (problem) {
    tools.saved(before);
    tell(problem);
    byId("status").textContent = "Not saved.";
  }
}

async function start() {
  await look();
  byId("desk").hidden = false;
  const canvas = new Canvas(byId("canvas"), () => tools.moved(), () => tools.stroked());
  tools = new Tools(canvas, layer, describe, tell);
  await canvas.start();
  await tools.prepare(current);
  await begin(undefined);
  byId("save").addEventListener("click", save);
  window.addEventListener("beforeunload", (event) => { if (tools.dirty) event.preventDefault(); });
  Object.assign(window, { gliomask: tools });
  document.documentElement.dataset.editor = "ready";
}

start().catch((problem) => {
  byId("status").textContent = "";
  tell(problem);
});
