// The page: sign-in, choice and upload of files; starts the input check and the list of jobs.

import { ask, Refusal } from "./api.js";
import { byId, element, passFocus } from "./elements.js";
import { refresh, watch } from "./jobs.js";
import { forget, show, start } from "./study.js";
import { fromDrop, fromInput, send } from "./upload.js";

/** @typedef {import("./upload.js").Named} Named */

/** @type {AbortController | null} */
let sending = null;

/** @param {unknown} problem */
function showProblem(problem) {
  if (problem instanceof Refusal && problem.status === 401) return signIn(problem);
  byId("new-problem").textContent = problem instanceof Error ? problem.message : String(problem);
}

/** @param {unknown} _problem */
function signIn(_problem) {
  byId("sign-in").hidden = false;
  byId("new").hidden = byId("queue").hidden = true;
  byId("token").focus();
}

/** @param {() => Promise<Named[]>} choose */
async function take(choose) {
  if (sending) return;
  forget(false);
  const own = sending = new AbortController();
  const opener = document.activeElement;
  byId("uploading").hidden = false;
  byId("drop").hidden = true;
  passFocus(opener, byId("stop-upload"));
  try {
    const upload = await send(await choose(), reportUpload, own.signal);
    sending = null; // from now on other files can be chosen
    const checked = show(upload);
    uploaded(byId("audit-title"));
    await checked;
  } catch (problem) {
    if (!own.signal.aborted) showProblem(problem);
  } finally {
    if (sending === own) {
      sending = null;
      uploaded(byId("choose-files"));
    }
  }
}

/** Shows the place to drop files again. @param {HTMLElement} heir gets the focus of the Stop button */
function uploaded(heir) {
  const had = document.activeElement;
  byId("uploading").hidden = true;
  byId("drop").hidden = false;
  passFocus(had, heir);
}

/** @param {number} done @param {number} total @param {number} share */
function reportUpload(done, total, share) {
  byId("upload-progress").value = share;
  byId("upload-text").textContent = `Uploading: ${done} of ${total} files`;
}

/** @param {string} id of an input @param {string} opener id of its button */
function choosing(id, opener) {
  byId(opener).addEventListener("click", () => byId(id).click());
  byId(id).addEventListener("change", () => {
    const chosen = fromInput(byId(id).files);
    byId(id).value = "";
    if (chosen.length) take(async () => chosen);
  });
}

function dropping() {
  const place = byId("drop");
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => { event.preventDefault(); place.classList.add("over"); });
  }
  document.addEventListener("dragleave", () => place.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    if (event.dataTransfer) {
      const files = fromDrop(event.dataTransfer); // now, while they can be read
      take(() => files);
    }
  });
}

async function begin() {
  try {
    const models = await ask("GET", "/models");
    byId("model").replaceChildren(...models.map((/** @type {any} */ one) => element("option", { value: one.name }, one.name)));
    byId("model-label").hidden = models.length < 2;
  } catch (problem) {
    if (problem instanceof Refusal && problem.status === 401) return signIn(problem);
    throw problem;
  }
  const had = document.activeElement;
  byId("sign-in").hidden = true;
  byId("new").hidden = byId("queue").hidden = false;
  passFocus(had, byId("choose-files"));
  watch(signIn);
}

byId("sign-in").addEventListener("submit", async (/** @type {Event} */ event) => {
  event.preventDefault();
  try {
    await ask("POST", "/session", { json: { token: byId("token").value.trim() } });
    byId("token").value = byId("sign-in-problem").textContent = "";
    await begin();
  } catch (problem) {
    byId("sign-in-problem").textContent = problem instanceof Error ? problem.message : String(problem);
  }
});
byId("stop-upload").addEventListener("click", () => sending?.abort());
byId("discard").addEventListener("click", () => {
  forget(false);
  passFocus(byId("discard"), byId("choose-files"));
});
byId("segment").addEventListener("click", async () => {
  const had = document.activeElement;
  byId("segment").disabled = true;
  try {
    await start();
  } catch (problem) {
    showProblem(problem);
  }
  byId("segment").disabled = false;
  if (had === byId("segment")) byId("segment").focus();
  passFocus(had, byId("queue-title"));
  refresh();
});
byId("close-viewer").addEventListener("click", () => byId("viewer").close());
byId("viewer-end").addEventListener("focus", () => byId("close-viewer").focus()); // Tab leaves the page of the result
byId("viewer").addEventListener("close", () => { byId("page").src = "about:blank"; });
choosing("files", "choose-files");
choosing("folder", "choose-folder");
dropping();
begin().catch(showProblem);
