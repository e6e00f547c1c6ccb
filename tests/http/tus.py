import hashlib
import os
import time

from support import *

USER, ROOT = token(), token("*", "admin", "root")
MONTH = time.strftime("%Y-%m", time.gmtime())
FOLDER = f"{MOUNT}/acme/{MONTH}"
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}
CONTENT = bytes(range(32, 127)) * 3000


def metadata(**values):
    return {"Upload-Metadata": ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())}


def create(length, auth=USER, data=None, headers=None, **values):
    sent = {**(BYTES if data is not None else TUS), **metadata(**(values or {"filename": "tus.txt"})), **(headers or {})}
    if length is not None:
        sent["Upload-Length"] = str(length)
    return call("POST", "/api/v1/uploads/", auth, data=data, headers=sent)


def path_of(answer):
    return "/" + answer.headers["Location"].split("/", 3)[3]


def patch(path, offset, data, auth=USER, **more):
    return call("PATCH", path, auth, data=data, headers={**BYTES, "Upload-Offset": str(offset), **{key.replace("_", "-"): value for key, value in more.items()}})


def head(path, auth=USER):
    return call("HEAD", path, auth, headers=TUS)


answer = call("OPTIONS", "/api/v1/uploads/")
check(answer.status == 204 and answer.headers["Tus-Version"] == "1.0.0" and "concatenation" in answer.headers["Tus-Extension"] and
      answer.headers["Tus-Checksum-Algorithm"], "OPTIONS says what is spoken", answer.headers)
answer = create(len(CONTENT), filename="r\u00e9sum\u00e9.txt", tags="x,y", description="by tus")
check(answer.status == 201 and answer.headers["Location"] and answer.headers["Upload-Expires"] and answer.headers["Tus-Resumable"] == "1.0.0",
      "an upload is created", answer.headers)
path = path_of(answer)
answer = head(path)
equal((answer.status, answer.headers["Upload-Offset"], answer.headers["Upload-Length"], answer.headers["Cache-Control"]),
      (200, "0", str(len(CONTENT)), "no-store"), "it stands at 0")
answer = patch(path, 0, CONTENT[:100000])
check(answer.status == 204 and answer.headers["Upload-Offset"] == "100000", "bytes are appended", answer)
equal(patch(path, 99999, b"x").status, 409, "at another offset they are not")
equal(head(path).headers["Upload-Offset"], "100000", "and nothing has changed")
check(not [name for name in os.listdir(FOLDER) if not name.startswith(".") and "sum" in name], "half a file is not to be seen")
got = raw(f"PATCH {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {USER}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 100000\r\n"
          f"Content-Type: application/offset+octet-stream\r\nContent-Length: 100000\r\n\r\n".encode() + CONTENT[100000:150000], timeout=1)
check(wait_for(lambda: 100000 < int(head(path).headers["Upload-Offset"]) <= 150000, 5), "what came before a connection broke is kept", head(path).headers)
offset = int(head(path).headers["Upload-Offset"])
answer = patch(path, offset, CONTENT[offset:])
check(answer.status == 204 and answer.headers["Upload-Offset"] == str(len(CONTENT)), "the rest makes it whole", answer)
identity = answer.headers["X-File-Id"]
file = call("GET", f"/api/v1/files/{identity}", USER).json
equal((file["file_name"], file["file_hash"], file["tags"], file["description"], file["uploaded_by"]),
      ("r\u00e9sum\u00e9.txt", hashlib.sha256(CONTENT).hexdigest(), ["x", "y"], "by tus", "alice"), "and a file with its attributes")
equal(patch(path, len(CONTENT), b"x").status, 403, "there is nothing to append to any more")
equal(head(path).headers["X-File-Id"], identity, "HEAD says which file it became")

# --- creation with upload, empty files, deferred lengths ---
answer = create(5, data=b"hello", filename="at-once.txt")
check(answer.status == 201 and answer.headers["Upload-Offset"] == "5" and answer.headers["X-File-Id"], "all of it may come with the creation", answer.headers)
with open(f"{FOLDER}/at-once.txt", "rb") as stored:
    equal(stored.read(), b"hello", "and is there")
answer = create(10, data=b"hello", filename="half.txt")
equal(answer.headers["Upload-Offset"], "5", "or a part of it")
equal(patch(path_of(answer), 5, b"world").headers["Upload-Offset"], "10", "that is gone on with")
answer = create(0, filename="nothing.txt")
check(answer.status == 201 and answer.headers["X-File-Id"], "an empty file is whole at once", answer.headers)
answer = create(None, filename="deferred.txt", headers={"Upload-Defer-Length": "1"})
check(answer.status == 201, "a length may be deferred", answer)
deferred = path_of(answer)
equal(head(deferred).headers["Upload-Defer-Length"], "1", "HEAD says so")
patch(deferred, 0, b"abc")
answer = patch(deferred, 3, b"def", Upload_Length="6")
check(answer.status == 204 and answer.headers["X-File-Id"], "until it is told", answer.headers)
answer = create(3, relativePath="album/2024/p.txt", filename="p.txt")
patch(path_of(answer), 0, b"pic")
check(os.path.exists(f"{FOLDER}/album/2024/p.txt"), "a folder that was dropped keeps its shape", os.listdir(FOLDER))

# --- checksums ---
answer = create(6, filename="sum.txt")
path = path_of(answer)
good = base64.b64encode(hashlib.sha1(b"abc").digest()).decode()
equal(patch(path, 0, b"abd", Upload_Checksum=f"sha1 {good}").status, 460, "a checksum that does not match is 460")
equal(head(path).headers["Upload-Offset"], "0", "and what came is thrown away")
equal(patch(path, 0, b"abc", Upload_Checksum=f"sha1 {good}").status, 204, "one that matches is fine")
equal(patch(path, 3, b"def", Upload_Checksum="crc99 AAAA").status, 400, "an unknown kind is 400")
equal(patch(path, 3, b"def", Upload_Checksum="sha256 " + base64.b64encode(hashlib.sha256(b"def").digest()).decode()).status, 204, "SHA-256 is known")

# --- concatenation ---
parts = [create(len(part), headers={"Upload-Concat": "partial"}) for part in (b"first ", b"second")]
for answer, part in zip(parts, (b"first ", b"second")):
    patch(path_of(answer), 0, part)
answer = call("POST", "/api/v1/uploads/", USER, headers={**TUS, **metadata(filename="joined.txt"),
                                                        "Upload-Concat": "final;" + " ".join(path_of(part) for part in parts)})
check(answer.status == 201 and answer.headers["X-File-Id"], "partial uploads make a final one", answer)
equal(call("GET", f"/api/v1/files/{answer.headers['X-File-Id']}/download", USER).body, b"first second", "in their order")
equal(head(path_of(answer)).headers["Upload-Length"], "12", "HEAD knows its length")
equal(head(path_of(parts[0])).status, 404, "the parts are gone")
answer = call("POST", "/api/v1/uploads/", USER, headers={**TUS, **metadata(filename="x.txt"), "Upload-Concat": "final;/api/v1/uploads/x"})
equal(answer.status, 400, "of parts that are not there is 400")

# --- termination and refusals ---
path = path_of(create(5))
equal(call("DELETE", path, USER, headers=TUS).status, 204, "an upload is given up")
equal(head(path).status, 404, "and gone")
equal(patch(path, 0, b"x").status, 404, "for PATCH, too")
equal(call("POST", "/api/v1/uploads/", USER, headers={"Upload-Length": "1"}).status, 412, "without Tus-Resumable it is 412")
equal(create(-1).status, 400, "a negative length is 400")
equal(create(None).status, 400, "no length is 400")
equal(create(1, headers={"Upload-Defer-Length": "1"}).status, 400, "both are 400")
equal(create(10 ** 12).status, 413, "more than the tenant allows is 413")
equal(create(5, filename="program.exe").status, 422, "a name that a rule refuses is 422 before a byte is sent")
equal(create(5, x="y").status, 422, "no name is 422")
equal(create(5, filename="x.txt", relativePath="../x.txt").status, 422, "a path that climbs is 422")
equal(call("POST", "/api/v1/uploads/", USER, headers={**TUS, "Upload-Length": "1", "Upload-Metadata": "filename ???"}).status, 400, "metadata that is none is 400")
path = path_of(create(5))
equal(call("PATCH", path, USER, data=b"x", headers={**TUS, "Upload-Offset": "0", "Content-Type": "text/plain"}).status, 415, "another type is 415")
equal(call("PATCH", path, USER, data=b"x", headers=BYTES).status, 400, "no offset is 400")
equal(patch(path, 0, b"123456").status, 413, "more than its length is 413")
equal(head(path, token(sub="mallory")).status, 404, "another user's upload is 404")
equal(head(path, token("beta")).status, 404, "another tenant's, too")
equal(head(path, ROOT).status, 200, "a token for all tenants finds it")
answer = create(5, auth=ROOT, filename="for-beta.txt", tenant="beta")
answer = patch(path_of(answer), 0, b"hello", ROOT)
check(os.path.exists(f"{MOUNT}/beta/{MONTH}/for-beta.txt"), "the metadata may name the tenant", answer)
equal(create(5, tenant="beta", filename="x.txt").status, 404, "but only where the token may")
with open("/bin/true", "rb") as program:
    elf = program.read()[:30000]
answer = create(len(elf), filename="trick.pdf")
path = path_of(answer)
answer = patch(path, 0, elf)
check(answer.status == 422 and "detail" in answer.json, "a program that is called pdf is 422 with the reason", answer)
check(head(path).status in (404, 410), "and the upload is gone", head(path))
answer = call("POST", path, USER, data=b"", headers={**BYTES, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"})
check(answer.status in (404, 410, 422), "POST may stand for PATCH", answer)
check(not [name for name in os.listdir(FOLDER) if name.startswith(".upload") and "trick" in name], "nothing of it is left")
finish()
