// One file: what is known of it, tags to edit, and what was extracted, live while it is being read.

import { get, request, segment } from "/page/api.js";
import { columnChart } from "/page/chart.js";
import { announce, element, replace, sizeInWords, timeInWords } from "/page/dom.js";

const POLL_MS = 1000;
const IMAGE_BYTES_MAX = 32 * 1024 * 1024;
const TEXT_SHOWN = 200000;
const ROWS_SHOWN = 200;

let shownImage = null;

function facts(file) {
  const rows = [
    ["Id", file.id], ["Size", `${sizeInWords(file.file_size)} (${Number(file.file_size).toLocaleString()} bytes)`], ["Media type", file.mime_type],
    ["Stored", timeInWords(file.uploaded_at)], ["Processed", timeInWords(file.processed_at)], ["Status", file.status], ["Validation", file.validation_status],
    ["SHA-256", file.file_hash], ["Visibility", file.visibility], ["Place", file.file_path],
  ];
  return element("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
}

function tagEditor(file) {
  const tags = element("input", { id: "edit-tags", type: "text", value: (file.tags ?? []).join(", ") });
  const description = element("textarea", { id: "edit-description", rows: 2 });
  description.value = file.description ?? "";
  const save = async (event) => {
    event.preventDefault();
    const values = { tags: tags.value.split(",").map((tag) => tag.trim()).filter(Boolean), description: description.value };
    try {
      await request("PATCH", `/api/v1/files/${segment(file.id)}`, values);
      announce("Saved");
    } catch (error) {
      announce(error.message);
    }
  };
  return element("form", { class: "editor", onsubmit: save },
    element("label", { for: "edit-tags" }, "Tags, separated by commas"), tags,
    element("label", { for: "edit-description" }, "Description"), description,
    element("button", { type: "submit" }, "Save"));
}

function actions(file) {
  const remove = async () => {
    if (!confirm(`Delete ${file.original_filename}? This cannot be undone.`)) return;
    try {
      await request("DELETE", `/api/v1/files/${segment(file.id)}`);
      announce(`${file.original_filename} deleted`);
      location.hash = "#/";
    } catch (error) {
      announce(error.message);
    }
  };
  return element("p", { class: "actions" },
    file.download_url ? element("a", { class: "button", href: new URL(file.download_url, location.href).href, download: file.original_filename }, "Download") : null,
    element("button", { type: "button", class: "danger", onclick: remove }, "Delete"));
}

async function image(file) {
  if (!/^image\/(png|jpeg|gif|webp|svg\+xml)$/.test(file.mime_type ?? "") || file.file_size > IMAGE_BYTES_MAX) return null;
  const answer = await request("GET", `/api/v1/files/${segment(file.id)}/download`, undefined, { raw: true });
  if (shownImage) URL.revokeObjectURL(shownImage);
  // An <img> never runs script, not even an SVG's.
  shownImage = URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type: file.mime_type }));
  return element("figure", { class: "picture" }, element("img", { src: shownImage, alt: `The picture ${file.original_filename}` }));
}

function datasetTable(dataset, title) {
  const columns = dataset.columns_info ?? dataset.columns;
  if (!Array.isArray(columns) || columns.length === 0) return null;
  const head = ["Column", "Type", "Exact", "Empty", "Distinct", "Least", "Most", "Mean"];
  const cell = (value) => (value === null || value === undefined ? "" : String(value));
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title },
    element("table", { class: "dataset" },
      element("caption", {}, `${title}: ${cell(dataset.row_count ?? dataset.rows)} rows, ${columns.length} columns`),
      element("thead", {}, element("tr", {}, head.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, columns.slice(0, ROWS_SHOWN).map((column) => element("tr", {},
        element("th", { scope: "row" }, cell(column.name)), element("td", {}, cell(column.dtype)), element("td", {}, cell(column.exact_type ?? column.type)),
        element("td", { class: "number" }, cell(column.nulls)), element("td", { class: "number" }, cell(column.distinct)),
        element("td", {}, cell(column.min)), element("td", {}, cell(column.max)), element("td", { class: "number" }, cell(column.mean)))))));
}

function datasets(data) {
  if (data.dataset) return [datasetTable(data.dataset, "Dataset")];
  if (Array.isArray(data.sheets)) return data.sheets.map((sheet, index) => datasetTable(sheet.dataset ?? sheet, sheet.name ?? `Sheet ${index + 1}`));
  return Array.isArray(data.columns) ? [datasetTable(data, "Dataset")] : [];
}

// Text with a chooser of pages when there are several.
function textWithPages(extraction) {
  const text = extraction.extracted_text ?? "";
  const pages = extraction.pages ?? extraction.structured_data?.pages;
  const shown = element("pre", { class: "text", tabindex: 0, "aria-label": "Extracted text" });
  const show = (part) => {
    shown.textContent = part.length > TEXT_SHOWN ? `${part.slice(0, TEXT_SHOWN)}\n…` : part;
  };
  if (!Array.isArray(pages) || pages.length < 2 || typeof pages[0] !== "string") {
    show(text);
    return [shown];
  }
  const choose = element("select", { id: "page-choice", onchange: () => show(choose.value === "all" ? text : pages[Number(choose.value)]) },
    element("option", { value: "all" }, "All pages"),
    pages.map((_, index) => element("option", { value: index }, `Page ${index + 1}`)));
  show(text);
  return [element("p", {}, element("label", { for: "page-choice" }, "Show "), choose), shown];
}

function lettersOf(extraction) {
  const letters = extraction.letters ?? extraction.structured_data?.letters ?? extraction.metadata?.letters;
  return letters ? columnChart("Letters", Object.entries(letters).map(([letter, count]) => [letter, Number(count)])) : null;
}

function metadataTable(metadata) {
  const rows = Object.entries(metadata ?? {}).filter(([, value]) => value !== null && typeof value !== "object");
  if (rows.length === 0) return null;
  return element("dl", { class: "facts" }, rows.map(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
}

function section(title, ...content) {
  const parts = content.flat().filter(Boolean);
  return parts.length > 0 ? element("section", {}, element("h3", {}, title), parts) : null;
}

function showExtraction(place, extraction) {
  if (!extraction) return replace(place, element("p", { role: "status" }, "Nothing was extracted yet."));
  if (extraction.status === "pending" || extraction.status === "processing")
    return replace(place, element("p", { role: "status" }, extraction.status === "pending" ? "Waiting to be read…" : "Being read…"));
  if (extraction.status === "failed") return replace(place, element("p", { role: "status", class: "refusal" }, extraction.error ?? "The extraction failed."));
  replace(place,
    section("Tables", datasets(extraction.structured_data ?? {})),
    section("Text", extraction.extracted_text ? textWithPages(extraction) : null),
    section("Letters", lettersOf(extraction)),
    section("From the document", metadataTable(extraction.metadata)));
}

const isSettled = (extraction) => extraction && extraction.status !== "pending" && extraction.status !== "processing";

async function followExtraction(place, id, isShown) {
  for (let round = 0; isShown(); round++) {
    const list = await get(`/api/v1/extractions/file/${segment(id)}`);
    const newest = list.find((item) => item.extraction_type === "full") ?? list[0];
    if (!isShown()) return;
    showExtraction(place, newest);
    if (isSettled(newest) || round > 300) return;
    if (round === 0 && !newest)
      await request("POST", "/api/v1/extractions/", { file_id: id, extraction_type: "full" }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export async function showFile(view, id, isShown) {
  const file = await get(`/api/v1/files/${segment(id)}`);
  const month = /\/(\d{4}-\d{2})\//.exec(file.file_path ?? "")?.[1];
  const picture = element("div");
  const extracted = element("div", { class: "extraction", "aria-live": "polite" });
  replace(view,
    element("h2", {}, element("a", { href: "#/" }, "Months"), month ? [" / ", element("a", { href: `#/month/${month}` }, month)] : null, ` / ${file.original_filename}`),
    actions(file), picture, element("div", { class: "columns" }, facts(file), tagEditor(file)), extracted);
  image(file).then((node) => node && isShown() && replace(picture, node)).catch(() => {});
  await followExtraction(extracted, id, isShown);
}
