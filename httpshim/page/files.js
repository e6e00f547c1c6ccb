// Months as folders, the files in one, and search.

import { get, post, segment } from "/page/api.js";
import { announce, byId, element, replace, sizeInWords, timeInWords } from "/page/dom.js";

const PAGE = 100;

const nameOf = (file) => file.original_filename ?? file.file_name ?? file.id;

function fileRow(file) {
  return element("tr", {},
    element("th", { scope: "row" }, element("a", { href: `#/file/${segment(file.id)}` }, nameOf(file))),
    element("td", { class: "number" }, sizeInWords(file.file_size)),
    element("td", {}, file.mime_type ?? ""),
    element("td", {}, element("span", { class: `status status-${file.status}` }, file.status)),
    element("td", {}, timeInWords(file.uploaded_at)));
}

function fileTable(caption) {
  const body = element("tbody");
  const table = element("table", { class: "files" },
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ["Name", "Size", "Type", "Status", "Stored"].map((title) => element("th", { scope: "col" }, title)))),
    body);
  return { table, body };
}

function withoutFiles(body, words) {
  if (body.childElementCount === 0) body.append(element("tr", {}, element("td", { colspan: 5, class: "empty" }, words)));
}

export async function showMonths(view, tenant) {
  const stats = await get(`/api/v1/tenants/${segment(tenant)}/stats`);
  const value = stats.by_month ?? {};
  const months = (Array.isArray(value) ? value.map((item) => [item.month, item.files ?? item.count]) : Object.entries(value))
    .map(([month, count]) => [month, typeof count === "object" && count !== null ? count.files ?? count.count : count])
    .sort((a, b) => (a[0] < b[0] ? 1 : -1));
  replace(view,
    element("h2", {}, "Months"),
    months.length === 0
      ? element("p", { class: "empty" }, "No file yet. Drop some above.")
      : element("ul", { class: "months" }, months.map(([month, count]) =>
          element("li", {}, element("a", { href: `#/month/${segment(month)}` }, element("strong", {}, month), element("span", {}, `${count} ${count === 1 ? "file" : "files"}`))))));
}

export async function showMonth(view, tenant, month) {
  const { table, body } = fileTable(`Files of ${month}`);
  const more = element("button", { type: "button", hidden: true }, "Show more");
  let cursor = null;
  const load = async () => {
    const query = new URLSearchParams({ month, limit: String(PAGE), sort: "uploaded_at", order: "desc" });
    if (cursor) query.set("cursor", cursor);
    const answer = await get(`/api/v1/files/tenant/${segment(tenant)}?${query}`);
    body.append(...answer.files.map(fileRow));
    cursor = answer.next_cursor;
    more.hidden = !cursor;
    withoutFiles(body, "No file in this month.");
  };
  more.addEventListener("click", () => load().catch((error) => announce(error.message)));
  replace(view, element("h2", {}, element("a", { href: "#/" }, "Months"), ` / ${month}`), table, more);
  await load();
}

export async function showSearch(view, tenant, parameters) {
  const filters = {};
  for (const [field, key] of [["name", "file_name"], ["tag", "tag"], ["text", "text"]])
    if (parameters.get(field)) filters[key] = parameters.get(field);
  const page = Math.max(1, Number(parameters.get("page") ?? 1));
  const answer = await post("/api/v1/files/search", { tenant_code: tenant, filters, sort: { field: "uploaded_at", order: "desc" }, pagination: { page, limit: PAGE } });
  const { table, body } = fileTable(`${answer.pagination.total_files} found`);
  body.append(...answer.files.map(fileRow));
  withoutFiles(body, "Nothing found. Try fewer words.");
  const link = (number, words) => {
    const query = new URLSearchParams(parameters);
    query.set("page", String(number));
    return element("a", { href: `#/search?${query}` }, words);
  };
  replace(view,
    element("h2", {}, "Search"), table,
    element("nav", { class: "pages", "aria-label": "Pages of results" },
      page > 1 ? link(page - 1, "Previous") : null,
      page < answer.pagination.total_pages ? link(page + 1, "Next") : null));
  announce(`${answer.pagination.total_files} files found`);
}

export function startSearch() {
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const query = new URLSearchParams({ [byId("search-field").value]: byId("search-words").value.trim() });
    if (byId("search-words").value.trim() !== "") location.hash = `#/search?${query}`;
  });
}
