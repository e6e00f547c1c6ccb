// The uploads on screen: dropped files and folders, a few at a time, each with progress, speed, time left, pause and reason.

import { announce, byId, element, replace, secondsInWords, sizeInWords } from "/page/dom.js";
import { TusUpload } from "/page/tus.js";

const AT_ONCE = 3;
const REMEMBERED = "tenantfs.uploads";
const SPEED_WINDOW_MS = 4000;

const rows = [];
let onFinished = () => {};
let tenantOf = () => "";

const fingerprint = (file, path) => `${tenantOf()}|${path}|${file.size}|${file.lastModified}`;

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(REMEMBERED)) ?? {};
  } catch {
    return {};
  }
}

function remember(key, value) {
  const all = remembered();
  if (value === null) delete all[key];
  else all[key] = value;
  localStorage.setItem(REMEMBERED, JSON.stringify(all));
}

class Row {
  constructor(file, path) {
    this.file = file;
    this.path = path;
    this.key = fingerprint(file, path);
    this.state = "waiting";
    this.reason = "";
    this.samples = [];
    const metadata = { filename: file.name, filetype: file.type, relativePath: path === file.name ? "" : path, tenant: tenantOf() };
    this.upload = new TusUpload(file, metadata, () => this.changed());
    this.upload.url = remembered()[this.key]?.url ?? null;
    this.build();
  }

  build() {
    this.bar = element("progress", { max: Math.max(1, this.file.size), value: 0, "aria-label": `Progress of ${this.path}` });
    this.status = element("span", { class: "upload-status" });
    this.toggle = element("button", { type: "button", class: "quiet", onclick: () => this.pauseOrResume() }, "Pause");
    this.remove = element("button", { type: "button", class: "quiet", onclick: () => this.discard(), "aria-label": `Remove ${this.path}` }, "Remove");
    this.node = element("li", { class: "upload" },
      element("span", { class: "upload-name" }, this.path), this.bar, this.status,
      element("span", { class: "upload-actions" }, this.toggle, this.remove));
    this.show();
  }

  changed() {
    if (this.upload.url) remember(this.key, { url: this.upload.url, path: this.path, size: this.file.size, tenant: tenantOf() });
    const now = performance.now();
    this.samples.push([now, this.upload.sent]);
    while (this.samples.length > 2 && now - this.samples[0][0] > SPEED_WINDOW_MS) this.samples.shift();
    this.show();
  }

  speed() {
    if (this.samples.length < 2) return 0;
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    return last[0] > first[0] ? ((last[1] - first[1]) * 1000) / (last[0] - first[0]) : 0;
  }

  words() {
    const done = `${sizeInWords(this.upload.sent)} of ${sizeInWords(this.file.size)}`;
    if (this.state === "sending") {
      const speed = this.speed();
      if (speed <= 0) return done;
      return `${done}, ${sizeInWords(speed)}/s, ${secondsInWords((this.file.size - this.upload.sent) / speed)} left`;
    }
    if (this.state === "waiting") return "Waiting";
    if (this.state === "paused") return `Paused at ${done}`;
    if (this.state === "done") return `Done, ${sizeInWords(this.file.size)}`;
    return this.reason;
  }

  show() {
    this.bar.value = this.state === "done" ? this.bar.max : this.upload.sent;
    this.status.textContent = this.words();
    this.node.dataset.state = this.state;
    this.toggle.hidden = this.state === "done" || this.state === "refused";
    this.toggle.textContent = this.state === "sending" || this.state === "waiting" ? "Pause" : "Resume";
    this.toggle.setAttribute("aria-label", `${this.toggle.textContent} ${this.path}`);
  }

  pauseOrResume() {
    if (this.state === "sending") this.upload.pause();
    else if (this.state === "waiting") this.state = "paused";
    else this.state = "waiting";
    this.show();
    next();
  }

  async discard() {
    if (this.state !== "done") await this.upload.abandon();
    remember(this.key, null);
    rows.splice(rows.indexOf(this), 1);
    this.node.remove();
    showSummary();
  }

  async send() {
    this.state = "sending";
    this.samples = [];
    this.show();
    try {
      const fileId = await this.upload.run();
      this.state = "done";
      remember(this.key, null);
      if (fileId) replace(this.node.querySelector(".upload-name"), element("a", { href: `#/file/${encodeURIComponent(fileId)}` }, this.path));
      onFinished(fileId);
    } catch (error) {
      this.state = error.isPause ? "paused" : error.isTemporary ? "failed" : "refused";
      this.reason = error.message;
      if (this.state === "refused") {
        remember(this.key, null);
        announce(`${this.path} was refused: ${error.message}`);
      }
    }
    this.show();
    next();
  }
}

function showSummary() {
  byId("uploads").hidden = rows.length === 0;
  const open = rows.filter((row) => row.state === "waiting" || row.state === "sending").length;
  const bad = rows.filter((row) => row.state === "refused" || row.state === "failed").length;
  byId("uploads-summary").textContent = open > 0 ? `${open} to go` : bad > 0 ? `${rows.length - bad} stored, ${bad} not` : "All stored";
}

function next() {
  let running = rows.filter((row) => row.state === "sending").length;
  for (const row of rows) {
    if (running >= AT_ONCE) break;
    if (row.state !== "waiting") continue;
    running++;
    row.send();
  }
  showSummary();
  if (running === 0 && rows.length > 0) announce(byId("uploads-summary").textContent);
}

export function addFiles(list) {
  for (const { file, path } of list) {
    const row = new Row(file, path);
    rows.push(row);
    byId("upload-list").append(row.node);
  }
  showUnfinished();
  next();
}

async function filesOfEntry(entry, prefix) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: prefix + file.name }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return found;
    for (const child of batch) found.push(...(await filesOfEntry(child, `${prefix}${entry.name}/`)));
  }
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return addFiles([...transfer.files].map((file) => ({ file, path: file.name })));
  for (const entry of entries) addFiles(await filesOfEntry(entry, ""));
}

// After a reload the browser no longer has the bytes: the person picks the same file again and it goes on where it stood.
export function showUnfinished() {
  const running = new Set(rows.map((row) => row.key));
  const open = Object.entries(remembered()).filter(([key, value]) => !running.has(key) && value.tenant === tenantOf());
  byId("unfinished").hidden = open.length === 0;
  replace(byId("unfinished-list"), open.map(([key, value]) =>
    element("li", {}, `${value.path} (${sizeInWords(value.size)}) `,
      element("button", { type: "button", class: "quiet", "aria-label": `Forget ${value.path}`, onclick: () => { remember(key, null); showUnfinished(); } }, "Forget"))));
}

export function startUploads(options) {
  onFinished = options.onFinished;
  tenantOf = options.tenantOf;
  const zone = byId("drop-zone");
  for (const id of ["pick-files", "pick-folder"])
    byId(id).addEventListener("change", (event) => {
      addFiles([...event.target.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
      event.target.value = "";
    });
  for (const name of ["dragenter", "dragover"])
    document.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) zone.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (!byId("workspace").hidden) dropped(event.dataTransfer);
  });
  byId("clear-uploads").addEventListener("click", () => {
    for (const row of [...rows]) if (row.state === "done" || row.state === "refused") row.discard();
  });
  showUnfinished();
}
