// One function around fetch: the token, and errors as sentences.

let token = null;
let onSignedOut = () => {};

export function useToken(text, signedOut) {
  token = text;
  onSignedOut = signedOut ?? onSignedOut;
}

export function claimsOf(text) {
  try {
    const body = text.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

export function authorization() {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// The reason in whatever shape the server gave it.
export function reasonOf(status, body) {
  const detail = body?.detail ?? body?.errors;
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail) && detail.length > 0)
    return detail.map((item) => (typeof item === "string" ? item : `${(item.loc ?? []).slice(1).join(".")}: ${item.msg}`)).join("; ");
  return body?.message || `The server answered ${status}.`;
}

export async function request(method, path, body, options = {}) {
  const headers = { Accept: "application/json", ...authorization(), ...options.headers };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: options.signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The server cannot be reached.");
  }
  if (options.raw && answer.ok) return answer;
  const text = await answer.text();
  let value = null;
  try {
    value = text === "" ? null : JSON.parse(text);
  } catch {
    value = null;
  }
  if (answer.status === 401) onSignedOut();
  if (!answer.ok) throw new ApiError(answer.status, reasonOf(answer.status, value));
  return value;
}

export const get = (path, options) => request("GET", path, undefined, options);
export const post = (path, body, options) => request("POST", path, body, options);
export const segment = (text) => encodeURIComponent(text);
