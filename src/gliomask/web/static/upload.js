// Upload of files: one request per file, several at a time.

import { ask, Refusal } from "./api.js";

const TOGETHER = 6;
const TRIES = 4;

/** @typedef {{name: string, file: File}} Named file with its path in the chosen folder */

/** @param {FileList} list of an input @returns {Named[]} */
export function fromInput(list) {
  return Array.from(list, (file) => ({ name: file.webkitRelativePath || file.name, file }));
}

/**
 * Dropped files, including those in folders. The entries must be read before the first await.
 * @param {DataTransfer} dropped
 * @returns {Promise<Named[]>}
 */
export async function fromDrop(dropped) {
  const entries = Array.from(dropped.items, (item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return fromInput(dropped.files);
  const found = await Promise.all(entries.map((entry) => filesOf(/** @type {FileSystemEntry} */ (entry))));
  return found.flat();
}

/** @param {FileSystemEntry} entry @returns {Promise<Named[]>} */
async function filesOf(entry) {
  if (entry.isFile) {
    const one = /** @type {FileSystemFileEntry} */ (entry);
    const file = await new Promise((done, failed) => one.file(done, failed));
    return [{ name: entry.fullPath.replace(/^\//, ""), file }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {Named[]} */
  const found = [];
  for (;;) { // a reader returns at most 100 entries at a time
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return found;
    for (const inner of some) found.push(...(await filesOf(inner)));
  }
}

/** @param {string} name @returns {boolean} whether it is a file of the operating system, not of the user */
function isLitter(name) {
  const last = name.split("/").pop() || "";
  return last === ".DS_Store" || last === "Thumbs.db" || last === "desktop.ini" || name.startsWith("__MACOSX/");
}

/**
 * Sends files to a new upload.
 * @param {Named[]} files
 * @param {(done: number, total: number, share: number) => void} report
 * @param {AbortSignal} signal
 * @returns {Promise<{id: string, files: Named[]}>} the upload; the number of a file is its index
 */
export async function send(files, report, signal) {
  const wanted = files.filter((one) => !isLitter(one.name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (!wanted.length) throw new Error("there are no files in it");
  const upload = await ask("POST", "/uploads", { signal });
  const total = wanted.reduce((sum, one) => sum + one.file.size, 0) || 1;
  let next = 0, done = 0, bytes = 0;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  async function work() {
    while (next < wanted.length) {
      const number = next++;
      await put(upload.id, number, wanted[number], either);
      done += 1;
      bytes += wanted[number].file.size;
      report(done, wanted.length, bytes / total);
    }
  }
  try {
    report(0, wanted.length, 0);
    await Promise.all(Array.from({ length: TOGETHER }, work));
  } catch (problem) {
    stop.abort();
    ask("DELETE", `/uploads/${upload.id}`).catch(() => {}); // it expires anyway
    throw problem;
  }
  return { id: upload.id, files: wanted };
}

/** @param {string} upload @param {number} number @param {Named} one @param {AbortSignal} signal */
async function put(upload, number, one, signal) {
  const path = `/uploads/${upload}/files/${number}?name=${encodeURIComponent(one.name)}`;
  for (let tries = 1; ; tries++) {
    try {
      await ask("PUT", path, { body: one.file, signal });
      return;
    } catch (problem) {
      const passing = !(problem instanceof Refusal) || problem.status === 408 || problem.status === 503;
      if (signal.aborted || !passing || tries === TRIES) throw problem;
      await new Promise((done) => setTimeout(done, 500 * 2 ** tries));
    }
  }
}
