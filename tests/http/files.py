import hashlib
import os
import subprocess
import time

from support import *

USER, READER, ROOT = token(), token(role="reader"), token("*", "admin", "root")
MONTH = time.strftime("%Y-%m", time.gmtime())
FOLDER = f"{MOUNT}/acme/{MONTH}"


def xattr(path, name):
    try:
        return os.getxattr(path, name)
    except OSError:
        return None


# --- upload ---
answer = upload(USER, "report.txt", b"the first report", tags="a, b,a b", metadata='{"n": 1, "deep": {"x": [1, 2]}}', description="d\u00e9")
check(answer.status == 201, "a file is stored", answer)
first = answer.json
equal(first["original_filename"], "report.txt", "with its name")
equal(first["file_name"], "report.txt", "which is also its entry's")
equal(first["file_size"], 16, "its size")
equal(first["file_hash"], hashlib.sha256(b"the first report").hexdigest(), "its hash")
equal(first["tags"], ["a", "b", "a b"], "its tags")
equal(first["metadata"], {"n": 1, "deep": {"x": [1, 2]}}, "its metadata")
equal(first["description"], "d\u00e9", "its description")
equal(first["mime_type"], "text/plain", "the type found in it")
equal(first["uploaded_by"], "alice", "and who sent it")
equal((first["status"] in ("uploaded", "processing", "completed"), first["validation_status"]), (True, "passed"), "it has passed")
for pair in (("id", "file_id"), ("file_size", "file_size_bytes"), ("mime_type", "media_type"), ("uploaded_at", "time_created")):
    equal(first[pair[0]], first[pair[1]], f"{pair[1]} is the same as {pair[0]}")
equal(open(f"{FOLDER}/report.txt", "rb").read(), b"the first report", "it is in the mount")
equal(xattr(f"{FOLDER}/report.txt", "user.tenantfs.uploaded_by"), b"alice", "its attribute says who sent it")
equal(xattr(f"{FOLDER}/report.txt", "user.xdg.tags"), b"a,b,a b", "its tags are attributes")
equal(call("GET", f"/api/v1/files/{first['id']}", READER).json["id"], first["id"], "a reader sees it")

second = upload(USER, "report.txt", b"the second").json
equal((second["file_name"], second["original_filename"]), ("report (2).txt", "report.txt"), "a taken name gets a number and keeps what was sent")
third = upload(USER, "report.txt", b"the third").json
equal(third["file_name"], "report (3).txt", "and the next one the next")
equal(open(f"{FOLDER}/report.txt", "rb").read(), b"the first report", "the first is untouched")
empty = upload(USER, "empty.txt", b"").json
equal((empty["file_size"], empty["mime_type"]), (0, "inode/x-empty"), "an empty file is stored")
equal(empty["file_hash"], hashlib.sha256(b"").hexdigest(), "with the hash of nothing")

for name in ("quote\".txt", "new\nline.txt", "caf\u00e9 \u20ac.txt", "'; DROP TABLE node; --.txt", "%2e%2e.txt", "a" * 251 + ".txt", "<script>.txt",
             "semi;colon.txt", "back\\slash.txt", " blanks .txt"):
    answer = upload(USER, name, b"x")
    check(answer.status == 201 and answer.json["original_filename"] == name, f"the name {name[:30]!r} is data", answer)
answer = upload(USER, b"\xff\xfe.txt", b"x")
check(answer.status == 201 and "\\xFF" in answer.json["original_filename"].upper().replace("\\XFF", "\\xFF"), "a name that is no UTF-8 is shown escaped", answer)
long = upload(USER, "a" * 251 + ".txt", b"y").json
check(long["file_name"].endswith(" (2).txt") and len(long["file_name"].encode()) <= 255, "a long name is cut for its number", long["file_name"][-20:])

# --- refusals ---
answer = upload(USER, "program.exe", b"MZ")
check(answer.status == 422 and isinstance(answer.json["detail"], str) and "exe" in answer.json["detail"], "a refused extension is 422 with the reason", answer)
answer = upload(USER, "noextension", b"x")
check(answer.status == 422, "and so is none", answer)
elf = open("/bin/true", "rb").read()
answer = upload(USER, "trick.pdf", elf)
check(answer.status == 422 and isinstance(answer.json["detail"], str), "a program that is called .pdf is 422", answer)
check(not [name for name in os.listdir(FOLDER) if name.startswith(".upload") or "trick" in name], "and leaves nothing", os.listdir(FOLDER))
rejections = os.getxattr(f"{MOUNT}/acme", "user.tenant.rejections").decode()
check("program.exe" in rejections, "refusals show in the tenant's rejections", rejections[-600:])
for field, value in (("metadata", "[1]"), ("metadata", "{"), ("visibility", "secret"), ("tags", '["a,b"]')):
    answer = upload(USER, "bad.txt", b"x", **{field: value})
    check(answer.status == 422 and answer.json["detail"][0]["loc"] == ["body", field], f"{field}={value} is 422 with its place", answer)
check(not os.path.exists(f"{FOLDER}/bad.txt"), "and nothing is stored")

# --- tenants by form, by query, by token ---
answer = upload(ROOT, "there.txt", b"x", tenant_code="beta")
check(answer.status == 201 and answer.json["tenant_code"] == "beta", "a token for all tenants stores where the form says", answer)
answer = call("POST", "/api/v1/files/upload", ROOT, form=[("file", ("after.txt", b"content" * 10000)), ("tenant_code", "beta")])
check(answer.status == 201 and answer.json["tenant_code"] == "beta", "also when the tenant stands behind the file", answer)
equal(open(f"{MOUNT}/beta/{MONTH}/after.txt", "rb").read(), b"content" * 10000, "whole")
check(not [name for name in os.listdir(FOLDER) if name.startswith(".upload")], "and nothing is left where it came through", os.listdir(FOLDER))
equal(upload(USER, "x.txt", b"x", tenant_code="beta").status, 404, "another tenant's is not there for the rest")

# --- change ---
answer = call("PATCH", f"/api/v1/files/{second['id']}", USER, body={"file_name": "renamed.txt", "tags": ["n"], "metadata": {"k": "v"}, "description": None,
                                                                    "visibility": "public"})
check(answer.status == 200, "a file is changed", answer)
equal({key: answer.json[key] for key in ("file_name", "tags", "metadata", "description", "visibility")},
      {"file_name": "renamed.txt", "tags": ["n"], "metadata": {"k": "v"}, "description": None, "visibility": "public"}, "and all of it shows at once")
check(os.path.exists(f"{FOLDER}/renamed.txt") and not os.path.exists(f"{FOLDER}/report (2).txt"), "also in the mount")
answer = call("PUT", f"/api/v1/files/{second['id']}", USER, body={"tags": []})
check(answer.status == 200 and answer.json["tags"] == [] and answer.json["metadata"] == {"k": "v"}, "what PUT leaves out stays", answer)
equal(call("PATCH", f"/api/v1/files/{second['id']}", USER, body={"file_name": "report.txt"}).status, 409, "a taken name is 409")
equal(call("PATCH", f"/api/v1/files/{second['id']}", USER, body={"file_name": "renamed.exe"}).status, 422, "a refused one 422")
for bad in ({"file_name": "a/b"}, {"file_name": ".."}, {"tags": "x"}, {"metadata": []}, {"visibility": "x"}, {"tags": ["a,b"]}):
    equal(call("PATCH", f"/api/v1/files/{second['id']}", USER, body=bad).status, 422, f"{bad} is 422")
equal(call("PATCH", "/api/v1/files/fs_0000000000000000000000", USER, body={"tags": []}).status, 404, "no such file is 404")
os.setxattr(f"{FOLDER}/renamed.txt", "user.xdg.tags", b"by,hand")
check(wait_for(lambda: call("GET", f"/api/v1/files/{second['id']}", USER).json["tags"] == ["by", "hand"], 3),
      "a change through the mount shows too, cached or not")

# --- lists and search ---
answer = call("GET", "/api/v1/files/tenant/acme?limit=3", USER).json
equal((len(answer["files"]), answer["total"] > 10, answer["files"][0]["uploaded_at"] >= answer["files"][1]["uploaded_at"]), (3, True, True),
      "a list is a page, the newest first, with the number of all")
seen, cursor = [], ""
while cursor is not None:
    page = call("GET", f"/api/v1/files/tenant/acme?limit=4{'&cursor=' + cursor if cursor else ''}", USER).json
    seen += [file["id"] for file in page["files"]]
    cursor = page["next_cursor"]
equal((len(seen), len(set(seen))), (answer["total"], answer["total"]), "by cursor every file comes once")
names = [file["file_name"] for file in call("GET", "/api/v1/files/tenant/acme?sort=file_name&order=asc&limit=1000", USER).json["files"]]
equal([name.encode("utf-8", "surrogateescape") for name in names if name.isascii()], sorted(name.encode() for name in names if name.isascii()), "sorted by name")
equal(call("GET", "/api/v1/files/tenant/acme?month=1999-01", USER).json["total"], 0, "a month without files is empty")
check(call("GET", f"/api/v1/files/tenant/acme?month={MONTH}", USER).json["total"] == answer["total"], "this month has them all")
equal(call("GET", "/api/v1/files/tenant/acme?cursor=x", USER).status, 422, "a cursor that is none is 422")


def search(**filters):
    return [file["file_name"] for file in call("POST", "/api/v1/files/search", USER, body={"filters": filters}).json["files"]]


equal(search(file_name="renam"), ["renamed.txt"], "search by a part of the name")
equal(sorted(search(file_name="report*.txt")), ["renamed.txt", "report (3).txt", "report.txt"], "by a glob, which the name as sent may fit too")
equal(search(tag="hand"), ["renamed.txt"], "by a tag")
equal(search(metadata={"k": "v"}), ["renamed.txt"], "by metadata")
equal(search(metadata={"deep": {"x": [2]}}), ["report.txt"], "also deep in it")
check("report.txt" in search(size_min=16, size_max=16), "by size")
equal(search(uploaded_after="2999-01-01"), [], "by time")
equal(search(file_name="%"), ["%2e%2e.txt"], "a percent sign is itself")
check(wait_for(lambda: "report.txt" in search(text="first report"), 20), "by text, once it is extracted", search(text="first report"))
page = call("POST", "/api/v1/files/search", USER, body={"pagination": {"page": 2, "limit": 5}}).json["pagination"]
equal((page["page"], page["limit"], page["total_pages"] == -(-page["total_files"] // 5)), (2, 5, True), "with pages")
for bad in ({"filters": {"size_min": "x"}}, {"sort": {"field": "x"}}, {"pagination": {"page": 0}}, {"filters": {"status": "x"}}):
    equal(call("POST", "/api/v1/files/search", USER, body=bad).status, 422, f"search for {bad} is 422")

# --- delete ---
equal(call("DELETE", f"/api/v1/files/{third['id']}", USER).json["deleted"], True, "a file is deleted")
equal(call("GET", f"/api/v1/files/{third['id']}", USER).status, 404, "and is gone at once")
check(not os.path.exists(f"{FOLDER}/report (3).txt"), "from the mount too")
equal(call("DELETE", f"/api/v1/files/{third['id']}", USER).status, 404, "twice is 404")
answer = call("POST", "/api/v1/files/bulk-delete", USER, body={"file_ids": [second["id"], "fs_0000000000000000000000", "x", second["id"]]}).json
equal([result["status"] for result in answer["results"]], ["deleted", "not_found", "not_found", "not_found"], "many are deleted, each told")
os.unlink(f"{FOLDER}/report.txt")
check(wait_for(lambda: call("GET", f"/api/v1/files/{first['id']}", USER).status == 404, 3), "what is removed through the mount is gone here too")

# --- a thousand of one name ---
ids = {upload(USER, "same.txt", b"%d" % number).json["file_name"] for number in range(60)}
equal(len(ids), 60, "sixty uploads of one name are sixty files")
finish()
