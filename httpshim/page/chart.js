// Bars, drawn as SVG with a table's meaning: each bar has its label and value as text for those who do not see it.

import { element } from "/page/dom.js";

const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

// Upright bars for many small values (letters).
export function columnChart(title, values) {
  const width = 26;
  const height = 120;
  const largest = Math.max(1, ...values.map(([, value]) => value));
  const chart = svg("svg", { viewBox: `0 0 ${values.length * width} ${height + 22}`, class: "chart", role: "img", "aria-label": `${title}: ${values.map(([k, v]) => `${k} ${v}`).join(", ")}` });
  values.forEach(([label, value], index) => {
    const bar = Math.round((value / largest) * height);
    const group = svg("g", {}, svg("title", {}, `${label}: ${value}`));
    group.append(svg("rect", { class: "bar", x: index * width + 3, y: height - bar, width: width - 6, height: bar }));
    group.append(svg("text", { x: index * width + width / 2, y: height + 16, "text-anchor": "middle" }, label));
    chart.append(group);
  });
  return element("figure", { class: "figure" }, element("figcaption", {}, title), chart);
}

// Lying bars for names with values: a real table, so it reads well aloud.
export function barTable(title, values, format = String) {
  const largest = Math.max(1, ...values.map(([, value]) => value));
  const body = values.map(([label, value]) =>
    element("tr", {},
      element("th", { scope: "row" }, label),
      element("td", { class: "number" }, format(value)),
      element("td", { class: "bar-cell" }, element("meter", { min: 0, max: largest, value, "aria-hidden": "true" }))));
  if (body.length === 0) body.push(element("tr", {}, element("td", {}, "Nothing yet")));
  return element("table", { class: "bars" }, element("caption", {}, title), element("tbody", {}, body));
}
