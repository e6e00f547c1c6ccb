import os
import time

from support import *

USER = token()
CONTENT = bytes(range(256)) * 4096
file = upload(USER, "d\u00e4ta.txt", CONTENT.hex().encode()[: 1 << 20]).json
CONTENT = CONTENT.hex().encode()[: 1 << 20]
PATH = f"/api/v1/files/{file['id']}/download"
ETAG = f'"{file["file_hash"]}"'


def get(auth=USER, path=PATH, **headers):
    return call("GET", path, auth, headers={key.replace("_", "-"): value for key, value in headers.items()})


answer = get()
check(answer.status == 200 and answer.body == CONTENT, "a file comes whole")
equal(answer.headers["ETag"], ETAG, "its tag is its hash")
equal(answer.headers["X-Content-Type-Options"], "nosniff", "nosniff")
check(answer.headers["Content-Disposition"].startswith("attachment; filename=\"d__ta.txt\"; filename*=UTF-8''d%C3%A4ta.txt"), "as an attachment",
      answer.headers["Content-Disposition"])
check("sandbox" in answer.headers["Content-Security-Policy"], "in a sandbox")
answer = call("HEAD", PATH, USER)
check(answer.status == 200 and answer.body == b"" and answer.headers["Content-Length"] == str(len(CONTENT)), "HEAD has the length and no body", answer.headers)
for header, first, last in (("bytes=0-0", 0, 0), ("bytes=100-199", 100, 199), ("bytes=-5", len(CONTENT) - 5, len(CONTENT) - 1),
                            ("bytes=1048000-", 1048000, len(CONTENT) - 1), ("bytes=1048570-9999999", 1048570, len(CONTENT) - 1)):
    answer = get(Range=header)
    check(answer.status == 206 and answer.body == CONTENT[first:last + 1] and answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}",
          f"{header} is that part", (answer.status, answer.headers.get("Content-Range"), len(answer.body)))
for header in ("bytes=9999999-", "bytes=-0"):
    answer = get(Range=header)
    check(answer.status == 416 and answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}", f"{header} is 416", answer)
for header in ("bytes=0-1,3-4", "bytes=5-1", "lines=1-2"):
    equal(get(Range=header).status, 200, f"{header} means all")
equal(get(Range="bytes=0-9", If_Range=ETAG).status, 206, "If-Range with its tag: the part")
equal(get(Range="bytes=0-9", If_Range='"other"').status, 200, "with another: all")
equal(get(Range="bytes=0-9", If_Range="W/" + ETAG).status, 200, "with a weak one: all")
answer = get(If_None_Match=ETAG)
check(answer.status == 304 and answer.body == b"" and answer.headers["ETag"] == ETAG, "If-None-Match: 304", answer)
equal(get(If_None_Match='"x", W/' + ETAG).status, 304, "also in a list, weak")
equal(get(If_None_Match='"x"').status, 200, "another tag: all of it")
equal(get(If_Match='"x"').status, 412, "If-Match with another: 412")
modified = get().headers["Last-Modified"]
equal(get(If_Modified_Since=modified).status, 304, "If-Modified-Since: 304")
empty = upload(USER, "nothing.txt", b"").json
answer = get(path=f"/api/v1/files/{empty['id']}/download")
check(answer.status == 200 and answer.body == b"", "an empty file comes, too", answer)
equal(get(path=f"/api/v1/files/{empty['id']}/download", Range="bytes=0-").status, 416, "a part of it does not")

# --- inline ---
equal(get(path=PATH + "?inline=1").headers["Content-Disposition"].split(";")[0], "inline", "inline when asked for")
call("PATCH", "/api/v1/tenants/acme", token("*", "admin"), body={"configuration": {"allowed_extensions": ["*"]}})
for name, content in (("evil.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
                      ("evil.html", b"<!doctype html><html><script>alert(1)</script></html>")):
    evil = wait_for(lambda: upload(USER, name, content).json.get("id"), 5)
    answer = get(path=f"/api/v1/files/{evil}/download?inline=1")
    check(answer.headers["Content-Disposition"].startswith("attachment") and "sandbox" in answer.headers["Content-Security-Policy"] and
          answer.headers["X-Content-Type-Options"] == "nosniff", f"{name} is never shown in our origin", answer.headers)

# --- links ---
link = file["download_url"].split("/", 3)[3]
equal(call("GET", "/" + link).status, 200, "the link of a private file opens without a token")
equal(call("GET", "/" + link, token("beta")).status, 200, "also with another tenant's")
equal(call("GET", PATH).status, 401, "without it a private file does not")
tampered = {
    "another signature": link.replace("signature=", "signature=A"),
    "a later time": link.replace("expires=", "expires=9"),
    "another file": link.replace(file["id"], empty["id"]),
    "no signature": link.split("&signature")[0],
    "an empty one": link.split("&signature")[0] + "&signature=",
}
for name, path in tampered.items():
    check(call("GET", "/" + path).status in (401, 403), f"a link with {name} does not open")
equal(call("GET", "/" + link.replace("tenant_code=acme", "tenant_code=beta")).status, 404, "nor in another tenant")
equal(call("GET", f"/api/v1/files/{file['id']}", headers={}).status, 401, "a link opens the bytes alone")
call("PATCH", f"/api/v1/files/{file['id']}", USER, body={"visibility": "public"})
equal(call("GET", PATH).status, 200, "a public file opens for everybody")
check("signature" not in call("GET", f"/api/v1/files/{file['id']}", USER).json["download_url"], "and its link has no signature")
equal(call("GET", f"/api/v1/files/fs_0000000000000000000000/download").status, 404, "what is not there is 404 for everybody")
finish()
