// The list of jobs: state, results and buttons of each.

import { addressOf, ask, Refusal } from "./api.js";
import { button, byId, element, passFocus, regionNames } from "./elements.js";
import { chooser, updateButton, watchChoice } from "./follow.js";

/** @type {Record<string, string>} */
const WORDS = { queued: "waiting", running: "running", done: "done", failed: "failed", cancelled: "cancelled", expired: "deleted" };
const FILES = [["mask", "Mask"], ["seg", "DICOM SEG"], ["rtstruct", "RTSTRUCT"], ["page", "Page"], ["record", "JSON"]];
const FAST_MS = 700;
const SLOW_MS = 4000;

/** @type {Map<string, {text: string, item: HTMLElement}>} id of a job -> its data as shown, and its list item */
const shown = new Map();
let timer = 0;
let latest = 0;
/** @type {(problem: unknown) => void} */
let refused = () => {};

/** Starts to update the list. @param {(problem: unknown) => void} onRefusal called if the token is not accepted */
export function watch(onRefusal) {
  refused = onRefusal;
  refresh();
}

/** Updates the list now. An earlier update that is still waiting for its answer ends without effect. */
export async function refresh() {
  clearTimeout(timer);
  const own = ++latest;
  let pause = SLOW_MS;
  try {
    const jobs = (await ask("GET", "/jobs?limit=100")).filter((/** @type {any} */ job) => job.kind === "predict" && job.state !== "expired");
    if (own !== latest) return;
    byId("connection").textContent = "";
    draw(jobs);
    if (jobs.some((/** @type {any} */ job) => job.state === "queued" || job.state === "running")) pause = FAST_MS;
  } catch (problem) {
    if (own !== latest) return;
    if (problem instanceof Refusal && problem.status === 401) return refused(problem);
    byId("connection").textContent = "The server does not respond; trying again.";
  }
  timer = window.setTimeout(refresh, pause);
}

/** Replaces only changed items, so that the focus of the keyboard stays. @param {any[]} jobs */
function draw(jobs) {
  byId("nothing").hidden = jobs.length > 0;
  const ids = new Set(jobs.map((job) => job.id));
  const had = document.activeElement;
  for (const [id, one] of shown) if (!ids.has(id)) { one.item.remove(); shown.delete(id); }
  passFocus(had, byId("queue-title"));
  let before = null;
  for (const job of jobs) {
    const text = JSON.stringify(job);
    const old = shown.get(job.id);
    if (!old) {
      const item = element("li", { id: `job-${job.id}`, tabindex: "-1" });
      if (before) before.after(item); else byId("jobs").prepend(item);
      shown.set(job.id, { text: "", item });
    }
    const now = /** @type {{text: string, item: HTMLElement}} */ (shown.get(job.id));
    if (now.text !== text) {
      update(now.item, job, now.text ? JSON.parse(now.text).state : "");
      now.text = text;
    }
    before = now.item;
  }
  updateButton();
}

/** @param {HTMLElement} item @param {any} job @param {string} was its previous state */
function update(item, job, was) {
  const bar = item.querySelector("progress");
  if (bar && was === job.state) {
    bar.value = job.progress;
    /** @type {HTMLElement} */ (item.querySelector(".faint")).textContent = standing(job);
    return;
  }
  const had = document.activeElement;
  item.dataset.state = job.state;
  item.replaceChildren(...parts(job));
  passFocus(had, item);
}

/** @param {any} job */
function standing(job) {
  const began = new Date(job.created).toLocaleString();
  if (job.state === "queued") return `${began}: waiting, ${job.place === 0 ? "next" : `${job.place} before it`}`;
  if (job.state === "running") return `${began}: ${job.cancelling ? "stopping" : `${Math.round(100 * job.progress)} % ${job.note}`}`;
  return `${began}: ${WORDS[job.state]}`;
}

/** @param {any} job @returns {Node[]} */
function parts(job) {
  const cases = job.result?.cases || [];
  const title = cases.length ? cases.map((/** @type {any} */ one) => one.case).join(", ") : "Examination";
  const made = [element("h3", {}, title), element("p", { class: "faint" }, standing(job))];
  if (job.state === "queued" || job.state === "running") {
    const bar = /** @type {HTMLProgressElement} */ (element("progress", { max: "1", "aria-label": "progress" }));
    bar.value = job.progress;
    return [...made, bar, element("p", { class: "buttons" }, button("Cancel", () => act("DELETE", `/jobs/${job.id}`)))];
  }
  if (job.error) made.push(element("p", { class: "problem" }, job.error.text));
  made.push(...cases.flatMap((/** @type {any} */ one) => caseOf(job, one)));
  for (const one of job.result?.failures || []) made.push(element("p", { class: "problem" }, `${one.case}: ${one.reason}`));
  const last = element("p", { class: "buttons" });
  if (cases.length) last.append(link(addressOf(job.id, "all"), "All as zip"));
  last.append(button("Delete", () => {
    if (confirm(`Delete the results of ${title}, with all corrections? This can't be undone.`)) act("DELETE", `/jobs/${job.id}/files`);
  }));
  return [...made, last];
}

/** @param {any} job @param {any} one a case @returns {Node[]} */
function caseOf(job, one) {
  const made = [sizes(one)];
  const reasons = (one.reliability?.reasons || []).filter((/** @type {any} */ reason) => reason.level !== "green").map((/** @type {any} */ reason) => reason.text);
  if (one.reliability) made.push(flag(one.reliability.level, reasons));
  const notes = one.notes.filter((/** @type {string} */ note) => !reasons.some((/** @type {string} */ text) => text.startsWith(note)));
  if (notes.length) made.push(element("p", { class: "faint" }, notes.join("; ")));
  const kinds = new Set(job.files.filter((/** @type {any} */ file) => file.case === one.case).map((/** @type {any} */ file) => file.kind));
  const row = element("p", { class: "buttons" });
  if (kinds.has("page")) row.append(button("View", () => view(addressOf(job.id, "page", one.case))));
  if (one.volumes_ml) row.append(element("a", { href: `/correct#job=${job.id}&case=${encodeURIComponent(one.case)}`, class: "button" }, "Correct"));
  if (one.volumes_ml && kinds.has("mask")) row.append(chooser(job.id, one.case));
  const files = element("p", { class: "buttons" }, element("span", { class: "faint" }, "Download"));
  for (const [kind, text] of FILES) if (kinds.has(kind)) files.append(link(addressOf(job.id, kind, one.case), text));
  const last = Math.max(0, ...[...kinds].map((kind) => Number(/^mask-(\d+)$/.exec(kind)?.[1] || 0)));
  for (const [kind, text] of FILES) if (last && kinds.has(`${kind}-${last}`)) files.append(link(addressOf(job.id, `${kind}-${last}`, one.case), `${text} of correction ${last}`));
  return [...made, row, files];
}

/** @param {string} level @param {string[]} reasons */
function flag(level, reasons) {
  const made = element("div", {}, element("p", {}, "Reliability: ", element("span", { class: `flag ${level}` }, level)));
  if (reasons.length) made.append(element("ul", { class: "reasons" }, ...reasons.map((/** @type {string} */ text) => element("li", {}, text))));
  return made;
}

/** @param {any} one a case */
function sizes(one) {
  if (!Object.values(one.voxels).some(Boolean)) return element("p", {}, "No tumour found. This does not rule a tumour out.");
  const rows = Object.entries(one.volumes_ml || one.voxels).map(([name, size]) => {
    const range = one.volumes_ml_90?.[name]; // results of earlier versions have none
    const text = one.volumes_ml ? `${size.toFixed(1)} ml` : `${size} voxels`;
    return element("li", {}, `${regionNames[name] || name} `, element("strong", {}, text), range ? ` (90 % interval ${range[0].toFixed(1)} to ${range[1].toFixed(1)} ml)` : "");
  });
  return element("ul", { class: "sizes" }, ...rows);
}

/** @param {string} address @param {string} text */
function link(address, text) {
  return element("a", { href: address, class: "button", download: "" }, text);
}

/** @param {string} address */
function view(address) {
  byId("page").src = address;
  byId("viewer").showModal();
}

/** @param {string} method @param {string} path */
async function act(method, path) {
  byId("job-problem").textContent = "";
  try {
    await ask(method, path);
  } catch (problem) {
    byId("job-problem").textContent = problem instanceof Error ? problem.message : String(problem);
  }
  await refresh();
}

watchChoice(view);
