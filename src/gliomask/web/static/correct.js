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
  current = found.cases.find((/** @type {any} */ one) => !wanted || one.case === wanted);
  if (!current) throw new Error("this examination has no mask to correct: only masks of volumes can be corrected, and only while their results are stored");
  byId("title").textContent = `Correct ${current.case}`;
  const own = found.corrections.filter((/** @type {any} */ one) => one.case === current.case);
  show(own, found.reader, (one, kind) => addressOf(job, `${kind}-${one.number}`, one.case), act);
}

/** @param {string} method @param {number} number @param {string} end of the path */
async function act(method, number, end) {
  const was = current.sha256;
  try {
    if (end === "" && tools.dirty && !confirm("Unsaved changes will be lost. Withdraw the correction?")) return;
    await ask(method, `/jobs/${job}/correction/${number}${end}`);
    byId("problem").textContent = "";
    await look();
    if (current.sha256 !== was) await begin();
  } catch (problem) {
    tell(problem);
  }
}

/** Loads the newest mask into the editor. */
async function begin() {
  const canvas = tools.canvas;
  await canvas.read("current", await layer("current"));
  const mask = new Mask(canvas.values("current"), canvas.shape, current.regions);
  tools.take(mask, current.voxel_ml);
  describe();
}

/** Says which mask is shown, and whether it has been changed. */
function describe() {
  const base = current.number ? `correction ${current.number}` : "the network's mask";
  byId("status").textContent = tools.dirty ? `Unsaved changes to ${base}.` : `This is ${base}.`;
}

async function save() {
  const pressed = document.activeElement === byId("save");
  byId("save").disabled = true;
  byId("status").textContent = "Saving …";
  try {
    const query = `base=${current.sha256}&case=${encodeURIComponent(current.case)}`;
    const made = await ask("PUT", `/jobs/${job}/correction?${query}`, { body: await tools.canvas.saved() });
    byId("problem").textContent = made.notes.join("; ");
    await look();
    tools.saved();
    byId("status").textContent = `Saved as correction ${made.number}.`;
  } catch (problem) {
    tell(problem);
    byId("status").textContent = "Not saved.";
    byId("save").disabled = false;
  }
  if (pressed) byId("status").focus();
}

async function start() {
  await look();
  byId("desk").hidden = false;
  const canvas = new Canvas(byId("canvas"), () => tools.moved(), () => tools.stroked());
  tools = new Tools(canvas, layer, describe);
  await canvas.start();
  await tools.prepare(current);
  await begin();
  byId("save").addEventListener("click", save);
  window.addEventListener("beforeunload", (event) => { if (tools.dirty) event.preventDefault(); });
  Object.assign(window, { gliomask: tools });
  document.documentElement.dataset.editor = "ready";
}

start().catch((problem) => {
  byId("status").textContent = "";
  tell(problem);
});
