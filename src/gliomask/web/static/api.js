// Requests to the server. Each returns the response, or throws a Refusal.

/** Error response of the server. */
export class Refusal extends Error {
  /** @param {number} status @param {string} text @param {number} retry seconds after which to repeat the request; 0 if repeating does not help */
  constructor(status, text, retry) {
    super(text);
    this.status = status;
    this.retry = retry;
  }
}

const BASE = "/api/v1";

/**
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {{json?: unknown, body?: Blob, key?: string, signal?: AbortSignal}} [how]
 * @returns {Promise<any>} the JSON of the response; null without a body
 */
export async function ask(method, path, how = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (how.json !== undefined) headers["content-type"] = "application/json";
  if (how.key) headers["idempotency-key"] = how.key;
  const body = how.json === undefined ? how.body : JSON.stringify(how.json);
  const response = await fetch(BASE + path, { method, headers, body, signal: how.signal });
  if (response.status === 204) return null;
  const content = await response.json().catch(() => ({ text: "the server sent no valid response" }));
  if (response.ok) return content;
  throw new Refusal(response.status, content.text, Number(response.headers.get("retry-after")));
}

/** @param {string} path below /api/v1 @returns {Promise<Blob>} a file */
export async function fetched(path) {
  const response = await fetch(BASE + path);
  if (response.ok) return response.blob();
  const content = await response.json().catch(() => ({ text: "the server sent no valid response" }));
  throw new Refusal(response.status, content.text, 0);
}

/** @returns {string} a new random key */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
}

/** @param {string} job @param {string} kind @param {string} [name] of the case @returns {string} */
export function addressOf(job, kind, name) {
  return `${BASE}/jobs/${job}/files/${kind}` + (name ? `?case=${encodeURIComponent(name)}` : "");
}
