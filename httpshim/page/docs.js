// Shows /openapi.json, and sends requests to try things out. Nothing is put in as markup.

const create = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
};

let whole = null;

function resolve(schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? { ...whole.components.schemas[name], name } : schema;
}

function typeInWords(given) {
  const schema = resolve(given ?? {});
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  if (schema.type === "array") return `list of ${typeInWords(schema.items)}`;
  if (schema.anyOf) return schema.anyOf.map(typeInWords).join(" or ");
  const type = [].concat(schema.type ?? "any").join(" or ");
  return schema.name ? `${type} ${schema.name}` : schema.format ? `${type} (${schema.format})` : type;
}

function members(given, depth = 0) {
  const schema = resolve(given ?? {});
  if (schema.type === "array") return members(schema.items, depth);
  if (!schema.properties || depth > 2) return null;
  return create("dl", {}, Object.entries(schema.properties).flatMap(([name, value]) => [
    create("dt", {}, name, (schema.required ?? []).includes(name) ? "" : " (may be absent)"),
    create("dd", {}, typeInWords(value), resolve(value).description ? `: ${resolve(value).description}` : "", members(value, depth + 1)),
  ]));
}

function bodyOf(operation) {
  const content = Object.entries(operation.requestBody?.content ?? {});
  return content.length === 0 ? null : { type: content[0][0], schema: resolve(content[0][1].schema) };
}

function example(given) {
  const schema = resolve(given ?? {});
  if (schema.enum) return schema.enum[0];
  const type = [].concat(schema.type ?? "null")[0];
  if (type === "object")
    return Object.fromEntries((schema.required ?? []).map((name) => [name, example(schema.properties?.[name])]));
  return { array: [], string: "", integer: schema.minimum ?? 0, number: 0, boolean: false }[type] ?? null;
}

function inputs(operation, body) {
  const fields = (operation.parameters ?? []).map((parameter) => ({ ...parameter, place: parameter.in }));
  if (body?.type === "multipart/form-data")
    for (const [name, schema] of Object.entries(body.schema.properties ?? {}))
      fields.push({ name, schema, place: "form", required: (body.schema.required ?? []).includes(name) });
  return fields;
}

async function send(method, path, fields, body, text) {
  const query = new URLSearchParams();
  const form = body?.type === "multipart/form-data" ? new FormData() : null;
  const headers = {};
  const token = document.getElementById("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  for (const { field, input } of fields) {
    const value = input.type === "file" ? input.files[0] : input.value;
    if (value === undefined || value === "") continue;
    if (field.place === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(value));
    else if (field.place === "query") query.set(field.name, value);
    else form.append(field.name, value);
  }
  if (!form && body && text) headers["Content-Type"] = body.type;
  const url = query.size > 0 ? `${path}?${query}` : path;
  const answer = await fetch(url, { method, headers, body: form ?? (body && text ? text : undefined) });
  const kind = answer.headers.get("Content-Type") ?? "";
  const received = kind.includes("json") || kind.startsWith("text/") ? await answer.text() : `${(await answer.blob()).size} bytes of ${kind || "nothing"}`;
  let shown = received;
  try { shown = JSON.stringify(JSON.parse(received), null, 2); } catch { shown = received; }
  return `${method} ${url}\n${answer.status} ${answer.statusText}\n\n${shown}`;
}

function trial(method, path, operation) {
  const body = bodyOf(operation);
  const fields = inputs(operation, body).map((field, index) => {
    const id = `${operation.operationId}-${index}`;
    const isFile = field.schema?.contentMediaType === "application/octet-stream";
    const input = create("input", { id, type: isFile ? "file" : "text", ...(field.required ? { required: "" } : {}) });
    return { field, input, label: create("label", { for: id }, `${field.name} (${field.place})`) };
  });
  const text = body && body.type !== "multipart/form-data"
    ? create("textarea", { "aria-label": "Body", spellcheck: "false" }, body.type === "application/json" ? JSON.stringify(example(body.schema), null, 2) : "") : null;
  const output = create("pre", { "aria-live": "polite" });
  const form = create("form", {}, fields.flatMap(({ label, input }) => [label, input]), text, create("button", {}, "Send"), output);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    output.textContent = "…";
    try { output.textContent = await send(method, path, fields, body, text?.value); } catch (error) { output.textContent = error.message; }
  });
  return form;
}

function section(method, path, operation) {
  const body = bodyOf(operation);
  return create("details", { class: "operation", id: operation.operationId },
    create("summary", {}, create("span", { class: "method" }, method), create("code", {}, path), ` ${operation.summary}`),
    create("p", {}, operation["x-least-role"] ? `Least role: ${operation["x-least-role"]}.` : "For everybody."),
    body ? [create("h4", {}, `Body: ${body.type}`), members(body.schema)] : null,
    create("h4", {}, "Answers"),
    create("dl", {}, Object.entries(operation.responses).filter(([status]) => status !== "default").flatMap(([status, answer]) => {
      const content = Object.entries(answer.content ?? {})[0];
      return [create("dt", {}, status), create("dd", {}, answer.description, content ? ` (${content[0]})` : "", members(content?.[1].schema))];
    })),
    create("h4", {}, "Try it"), trial(method, path, operation));
}

async function show() {
  whole = await (await fetch("/openapi.json")).json();
  const groups = new Map(whole.tags.map(({ name }) => [name, []]));
  for (const [path, operations] of Object.entries(whole.paths))
    for (const [method, operation] of Object.entries(operations)) groups.get(operation.tags[0]).push(section(method.toUpperCase(), path, operation));
  const anchor = (name) => `group-${name.replace(/\W+/g, "-")}`;
  document.getElementById("contents").replaceChildren(create("ul", {}, [...groups.keys()].map((name) => create("li", {}, create("a", { href: `#${anchor(name)}` }, name)))));
  const main = document.getElementById("operations");
  main.replaceChildren(...[...groups].map(([name, sections]) => create("section", { id: anchor(name) }, create("h2", {}, name), sections)));
  main.removeAttribute("aria-busy");
}

document.getElementById("token-form").addEventListener("submit", (event) => event.preventDefault());
show().catch((error) => document.getElementById("operations").replaceChildren(create("p", { role: "alert" }, error.message)));
