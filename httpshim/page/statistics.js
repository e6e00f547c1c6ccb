// A tenant's figures.

import { get, segment } from "/page/api.js";
import { barTable } from "/page/chart.js";
import { element, replace, sizeInWords } from "/page/dom.js";

function pairs(value) {
  if (Array.isArray(value)) return value.map((item) => [item.month ?? item.media_type ?? item.name ?? item.status, Number(item.files ?? item.count ?? item.bytes ?? 0)]);
  return Object.entries(value ?? {}).map(([name, item]) => [name, Number(typeof item === "object" && item !== null ? item.files ?? item.count ?? 0 : item)]);
}

function figure(label, value) {
  return element("div", { class: "tile" }, element("dt", {}, label), element("dd", {}, value));
}

function quotaWords(used, quota) {
  return quota ? `${((used / quota) * 100).toFixed(1)} % of ${sizeInWords(quota)}` : "no limit";
}

export async function showStatistics(view, tenant) {
  const stats = await get(`/api/v1/tenants/${segment(tenant)}/stats`);
  const files = stats.files ?? stats.file_count ?? stats.total_files ?? 0;
  const bytes = stats.bytes ?? stats.used_bytes ?? stats.total_size ?? 0;
  const largestFirst = (a, b) => b[1] - a[1];
  replace(view,
    element("h2", {}, `Statistics of ${tenant}`),
    element("dl", { class: "tiles" },
      figure("Files", files.toLocaleString()),
      figure("Stored", sizeInWords(bytes)),
      figure("Quota", quotaWords(bytes, stats.storage_quota_bytes ?? stats.quota_bytes))),
    element("div", { class: "columns" },
      barTable("Files by month", pairs(stats.by_month).sort((a, b) => (a[0] < b[0] ? 1 : -1))),
      barTable("Files by media type", pairs(stats.by_media_type).sort(largestFirst).slice(0, 15)),
      barTable("Files by status", pairs(stats.by_status).sort(largestFirst)),
      barTable("Extractions by status", pairs(stats.extractions ?? stats.extractions_by_status).sort(largestFirst))));
}
