// Who is signed in, and which view the address names: #/  #/month/2026-11  #/file/fs_…  #/search?text=…  #/statistics

import { claimsOf, get, useToken } from "/page/api.js";
import { announce, byId, element, replace } from "/page/dom.js";
import { showFile } from "/page/file.js";
import { showMonth, showMonths, showSearch, startSearch } from "/page/files.js";
import { showStatistics } from "/page/statistics.js";
import { showUnfinished, startUploads } from "/page/uploads.js";

const TOKEN = "tenantfs.token";
const TENANT = "tenantfs.tenant";

let round = 0; // counts the views: what belongs to an older one no longer draws

const tenant = () => byId("tenant").value;

async function showView() {
  const mine = ++round;
  const isShown = () => mine === round;
  const view = byId("view");
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [what = "", argument = ""] = path.split("/").map(decodeURIComponent);
  for (const link of document.querySelectorAll("#sections a"))
    if (link.getAttribute("href") === `#/${what === "statistics" ? what : ""}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  view.setAttribute("aria-busy", "true");
  try {
    if (what === "month") await showMonth(view, tenant(), argument);
    else if (what === "file") await showFile(view, argument, isShown);
    else if (what === "search") await showSearch(view, tenant(), new URLSearchParams(query));
    else if (what === "statistics") await showStatistics(view, tenant());
    else await showMonths(view, tenant());
  } catch (error) {
    if (isShown()) replace(view, element("p", { class: "refusal", role: "alert" }, error.message));
  } finally {
    if (isShown()) view.removeAttribute("aria-busy");
  }
}

async function tenantsOf(claims) {
  if (claims.tenant && claims.tenant !== "*") return [claims.tenant];
  if (!claims.tenant) return [byId("tenant").dataset.default].filter(Boolean);
  return (await get("/api/v1/tenants/?limit=1000")).map((item) => item.code);
}

function signOut(words) {
  sessionStorage.removeItem(TOKEN);
  useToken(null);
  byId("workspace").hidden = true;
  byId("session").hidden = true;
  byId("sign-in").hidden = false;
  byId("sign-in-reason").textContent = words ?? "";
  byId("token").focus();
}

async function signIn(token) {
  const claims = claimsOf(token);
  if (!claims) return signOut("This is no token. `adminctl token create` prints one.");
  useToken(token, () => signOut("The token is not valid, or no longer."));
  try {
    const codes = await tenantsOf(claims);
    replace(byId("tenant"), codes.map((code) => element("option", { value: code }, code)));
    const last = localStorage.getItem(TENANT);
    if (codes.includes(last)) byId("tenant").value = last;
  } catch (error) {
    return signOut(error.message);
  }
  sessionStorage.setItem(TOKEN, token);
  byId("who").textContent = `${claims.sub ?? ""} (${claims.role ?? "user"})`;
  byId("sign-in").hidden = true;
  byId("session").hidden = false;
  byId("workspace").hidden = false;
  byId("upload-area").hidden = claims.role === "reader";
  showUnfinished();
  await showView();
}

function start() {
  byId("sign-in-form").addEventListener("submit", (event) => {
    event.preventDefault();
    signIn(byId("token").value.trim());
    byId("token").value = "";
  });
  byId("sign-out").addEventListener("click", () => signOut("Signed out."));
  byId("tenant").addEventListener("change", () => {
    localStorage.setItem(TENANT, tenant());
    showUnfinished();
    location.hash = "#/";
    showView();
  });
  window.addEventListener("hashchange", async () => {
    await showView();
    byId("view").focus();
  });
  let refresh = 0;
  startUploads({
    tenantOf: tenant,
    onFinished: () => {
      clearTimeout(refresh);
      refresh = setTimeout(() => !location.hash.startsWith("#/file/") && showView(), 500);
    },
  });
  startSearch();
  const kept = sessionStorage.getItem(TOKEN);
  if (kept) signIn(kept).catch((error) => announce(error.message));
  else signOut();
}

start();
