// One upload over tus 1.0: created once, sent in pieces, paused, resumed where the server says it stands.

import { authorization, reasonOf } from "/page/api.js";

const PIECE_BYTES = 8 * 1024 * 1024;
const RETRY_DELAYS_MS = [500, 1000, 3000, 5000, 10000];
const PROTOCOL = { "Tus-Resumable": "1.0.0" };

function base64(text) {
  let bytes = "";
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}

function metadataHeader(metadata) {
  return Object.entries(metadata)
    .filter(([, value]) => value)
    .map(([key, value]) => `${key} ${base64(value)}`)
    .join(",");
}

// XMLHttpRequest, since fetch does not tell how much of a body has gone out.
function send(method, url, headers, body, onProgress, register) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    if (onProgress) xhr.upload.onprogress = (event) => onProgress(event.loaded);
    xhr.onload = () => resolve(xhr);
    xhr.onerror = () => reject(new TransferError(0, "The connection broke."));
    xhr.onabort = () => reject(new TransferError(-1, "Paused."));
    register?.(xhr);
    xhr.send(body ?? null);
  });
}

export class TransferError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
  get isPause() {
    return this.status === -1;
  }
  get isTemporary() {
    return this.status === 0 || this.status === 409 || this.status === 423 || this.status === 429 || this.status >= 500;
  }
}

function errorOf(xhr) {
  let body = null;
  try {
    body = JSON.parse(xhr.responseText);
  } catch {
    body = null;
  }
  return new TransferError(xhr.status, reasonOf(xhr.status, body));
}

export class TusUpload {
  // onChange is called with this upload whenever sent, state or reason changed.
  constructor(file, metadata, onChange) {
    this.file = file;
    this.metadata = metadata;
    this.onChange = onChange;
    this.url = null;
    this.sent = 0;
    this.fileId = null;
    this.current = null;
    this.isWanted = false;
  }

  pause() {
    this.isWanted = false;
    this.current?.abort();
  }

  async abandon() {
    this.pause();
    if (this.url) await send("DELETE", this.url, { ...PROTOCOL, ...authorization() }).catch(() => {});
  }

  // Resolves with the file's id; rejects with a TransferError.
  async run() {
    this.isWanted = true;
    for (let attempt = 0; ; ) {
      const before = this.sent;
      try {
        await this.#proceed();
        return this.fileId;
      } catch (error) {
        if (!this.isWanted) throw new TransferError(-1, "Paused.");
        if (this.sent > before) attempt = 0;
        if (!error.isTemporary || attempt >= RETRY_DELAYS_MS.length) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAYS_MS[attempt++]));
        if (!this.isWanted) throw new TransferError(-1, "Paused.");
      }
    }
  }

  async #proceed() {
    if (this.url) await this.#askOffset();
    if (!this.url) await this.#create();
    while (this.sent < this.file.size) {
      if (!this.isWanted) throw new TransferError(-1, "Paused.");
      await this.#sendPiece();
    }
  }

  async #create() {
    const headers = { ...PROTOCOL, ...authorization(), "Upload-Length": String(this.file.size), "Upload-Metadata": metadataHeader(this.metadata) };
    const xhr = await send("POST", "/api/v1/uploads/", headers, null, null, (x) => (this.current = x));
    if (xhr.status !== 201) throw errorOf(xhr);
    this.url = new URL(xhr.getResponseHeader("Location"), location.href).pathname;
    this.sent = 0;
    this.fileId = xhr.getResponseHeader("X-File-Id");
    this.onChange(this);
  }

  async #askOffset() {
    const xhr = await send("HEAD", this.url, { ...PROTOCOL, ...authorization() }, null, null, (x) => (this.current = x));
    if (xhr.status === 404 || xhr.status === 410) {
      this.url = null; // expired: begin again
      return;
    }
    if (xhr.status >= 300) throw errorOf(xhr);
    this.sent = Number(xhr.getResponseHeader("Upload-Offset"));
    this.fileId = xhr.getResponseHeader("X-File-Id") ?? this.fileId;
    this.onChange(this);
  }

  async #sendPiece() {
    const start = this.sent;
    const piece = this.file.slice(start, start + PIECE_BYTES);
    const headers = { ...PROTOCOL, ...authorization(), "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(start) };
    const progress = (loaded) => {
      this.sent = start + Math.min(loaded, piece.size);
      this.onChange(this);
    };
    let xhr;
    try {
      xhr = await send("PATCH", this.url, headers, piece, progress, (x) => (this.current = x));
    } catch (error) {
      this.sent = start; // what arrived is asked for before going on
      throw error;
    }
    if (xhr.status !== 204 && xhr.status !== 200) {
      this.sent = start;
      throw errorOf(xhr);
    }
    this.sent = Number(xhr.getResponseHeader("Upload-Offset") ?? start + piece.size);
    this.fileId = xhr.getResponseHeader("X-File-Id") ?? this.fileId;
    this.onChange(this);
  }
}
