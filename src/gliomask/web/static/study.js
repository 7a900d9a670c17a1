// Uploaded examination: its input check, the choice of sequences, and the start of the job.

import { ask, newKey } from "./api.js";
import { byId, element, sequenceNames } from "./elements.js";

/** @typedef {import("./upload.js").Named} Named */

const VOLUME = /\.(nii|nrrd|nhdr|mha|mhd|mgz|mgh|hdr)(\.gz)?$/i;

/** @type {{id: string, files: Named[]} | null} */
let upload = null;
/** @type {any} */
let audit = null;
/** @type {string} idempotency key of the job, so that a repeated click does not create a second one */
let key = "";

/** Checks an upload and shows the result, unless it was discarded meanwhile. @param {{id: string, files: Named[]}} made */
export async function show(made) {
  [upload, key] = [made, newKey()];
  const text = byId("audit-text");
  byId("audit").hidden = false;
  byId("segment").disabled = true;
  text.textContent = "Reading headers …";
  let job;
  try {
    job = await ask("POST", "/jobs", { json: { upload: made.id, kind: "inspect", options: {} } });
    while (upload === made && (job.state === "queued" || job.state === "running")) job = await ask("GET", `/jobs/${job.id}?wait=20`);
  } catch (problem) {
    if (upload === made) throw problem;
  }
  if (upload !== made) return;
  audit = job.state === "done" ? job.result.audit : null;
  const rows = rowsOf(audit);
  text.textContent = summary(audit, rows.length > 0);
  byId("new-problem").textContent = audit ? "" : job.error?.text || "the audit was cancelled";
  list(audit, rows);
  byId("segment").disabled = false;
}

/** Discards the upload. @param {boolean} keep it on the server, because a job uses it */
export function forget(keep) {
  if (upload && !keep) ask("DELETE", `/uploads/${upload.id}`).catch(() => {}); // it expires anyway
  [upload, audit] = [null, null];
  byId("audit").hidden = true;
  byId("new-problem").textContent = "";
}

/** Starts the segmentation. @returns {Promise<any>} the job */
export async function start() {
  if (!upload) throw new Error("nothing is uploaded");
  /** @type {Record<string, any>} */
  const options = { ...byHand(), uncertainty: byId("uncertainty").checked, clean_up: byId("clean-up").checked, n4: byId("n4").checked };
  if (byId("model").value) options.model = byId("model").value;
  if (byId("rtstruct").checked) options.write = ["nifti", "png", "html", "dicom-seg", "rtstruct"];
  const job = await ask("POST", "/jobs", { json: { upload: upload.id, options }, key });
  forget(true);
  return job;
}

/** @param {any} found @param {boolean} listed whether the table shows its series */
function summary(found, listed) {
  if (!found?.cases.length) return listed ? "Nothing can be segmented as it is. Choose below what each file is." : "Nothing here can be segmented.";
  const cases = found.cases.length === 1 ? "1 examination" : `${found.cases.length} examinations`;
  const named = found.cases.slice(0, 20).map(listed && found.cases.length === 1 ? (/** @type {any} */ one) => one.case : used);
  return `${cases} can be segmented: ${named.join("; ")}`;
}

/** Rows of the table: the series of a study, otherwise the volumes of a single examination, or the
 * files if no examination was recognised. @param {any} found @returns {any[]} */
function rowsOf(found) {
  if (found?.series.length) return found.series;
  const volumes = (upload ? upload.files : []).filter((file) => VOLUME.test(file.name));
  if ((found?.cases.length || 0) > 1 || volumes.length > 40) return [];
  const uses = Object.entries(found?.cases[0]?.uses || {});
  const fits = (/** @type {Named} */ file, /** @type {unknown} */ name) => file.name === name || file.name.endsWith(`/${name}`);
  if (!uses.every(([, name]) => volumes.filter((file) => fits(file, name)).length === 1)) return [];
  return volumes.map((file) => fileRow(file, uses.find(([, name]) => fits(file, name))?.[0]));
}

/** @param {Named} file @param {string | undefined} sequence */
function fileRow(file, sequence) {
  return { series: file.name, series_uid: "", sequence, used: Boolean(sequence), shape: null, evidence: "", problems: [], case: "" };
}

/** @param {any} one a case */
function used(one) {
  const uses = Object.entries(one.uses).map(([name, what]) => `${sequenceNames[name] || name} = ${what}`);
  return `${one.case} (${uses.join(", ")})`;
}

/** @param {any} found @param {any[]} rows */
function list(found, rows) {
  const single = new Set(rows.map((/** @type {any} */ row) => row.case || row.study)).size <= 1;
  byId("series").tBodies[0].replaceChildren(...rows.map((/** @type {any} */ row) => rowOf(row, single)));
  byId("series").hidden = !rows.length;
  byId("series").classList.toggle("files", rows.every((row) => !row.shape && !row.evidence && !row.problems.length));
  const notes = found ? [...found.cases.flatMap((/** @type {any} */ one) => one.notes), ...found.problems.map((/** @type {string[]} */ [name, why]) => `${name}: ${why}`)] : [];
  byId("audit-notes").replaceChildren(...notes.map((note) => element("li", {}, note)));
}

/** @param {any} row @param {boolean} single */
function rowOf(row, single) {
  const grid = row.shape ? row.shape.join(" × ") : "";
  const remarks = [row.evidence, ...row.problems].filter(Boolean).join("; ");
  const cells = [row.series, single ? choice(row) : sequenceNames[row.sequence] || "not used", grid, remarks];
  return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
}

/** Selection of the sequence of a series. @param {any} row */
function choice(row) {
  const select = /** @type {HTMLSelectElement} */ (element("select", { "aria-label": `Sequence of ${row.series}` }));
  for (const [value, text] of [["", "not used"], ...Object.entries(sequenceNames)]) {
    select.append(element("option", { value }, text));
  }
  select.value = row.used && row.sequence ? row.sequence : "";
  select.dataset.was = select.value;
  select.dataset.series = row.series_uid;
  select.dataset.file = row.series_uid ? "" : row.series;
  return select;
}

/** @returns {Record<string, any>} options for the sequences chosen by the user; empty if nothing was changed */
function byHand() {
  const all = /** @type {HTMLSelectElement[]} */ (Array.from(byId("series").querySelectorAll("select")));
  if (all.every((one) => one.value === one.dataset.was)) return {};
  const chosen = all.filter((one) => one.value);
  const names = chosen.map((one) => one.value);
  if (new Set(names).size < names.length) throw new Error("two series are selected for the same sequence");
  if (!names.length) throw new Error("no series is selected for any sequence");
  if (chosen.every((one) => one.dataset.series)) {
    return { series: Object.fromEntries(chosen.map((one) => [one.value, one.dataset.series])) };
  }
  const pairs = chosen.map((one) => [one.value, numberOf(one.dataset.file || "")]);
  return { sequences: Object.fromEntries(pairs) };
}

/** @param {string} name of a file in the input check @returns {number} number of the file in the upload */
function numberOf(name) {
  const files = upload ? upload.files : [];
  const fitting = files.map((one, number) => [one.name, number]).filter(([full]) => full === name || String(full).endsWith(`/${name}`));
  if (fitting.length !== 1) throw new Error(`${name} can't be chosen by hand: it is in an archive, or there are several of this name`);
  return Number(fitting[0][1]);
}
