import concurrent.futures
import hashlib
import json
import os
import random
import time
import uuid

from support import *

USER, READER = token(), token(role="reader")
MONTH = time.strftime("%Y-%m", time.gmtime())
FOLDER = f"{MOUNT}/acme/{MONTH}"
CONTENT = b"".join(b"line %d of a file that is sent in pieces\n" % number for number in range(20000))


def begin():
    return call("POST", "/api/v1/file/upload/init/", USER).json["data"]


def chunk(upload_id, index, content, size=None, auth=USER):
    return call("POST", "/api/v1/file/upload/chunk/", auth, form=[("upload_id", upload_id), ("chunk_index", str(index)),
                                                                 ("chunk_size", str(size or len(content))), ("file", ("blob", content))])


def complete(upload_id, chunks, size, auth=USER, **fields):
    form = {"upload_id": upload_id, "total_chunks": str(chunks), "total_size": str(size), "file_extension": "txt", "content_type": "text/plain", **fields}
    return call("POST", "/api/v1/file/upload/complete/", auth, form=list(form.items()))


def status(identity, query=""):
    return call("GET", f"/api/v1/file/status/{identity}{query}", READER).json


def finished(identity, query=""):
    return wait_for(lambda: (lambda got: got if got in ("SUCCESS", "FAILURE") else None)(status(identity, query)["data"]["status"]), 30)


answer = call("POST", "/api/v1/file/upload/init/", USER)
check(answer.status == 200 and answer.json["success"] is True and answer.json["message"] == "" and answer.json["data"]["chunk_size"] == 100000,
      "an upload begins with its id and the largest chunk", answer)
upload_id = answer.json["data"]["upload_id"]
pieces = [CONTENT[at:at + 70000] for at in range(0, len(CONTENT), 70000)]
order = list(range(len(pieces)))
random.Random(1).shuffle(order)
for index in order[:-1]:
    answer = chunk(upload_id, index, pieces[index])
    check(answer.status == 200 and answer.json["data"] == {"upload_id": upload_id, "chunk_index": index}, f"chunk {index} is stored", answer)
answer = chunk(upload_id, order[0], pieces[order[0]])
equal(answer.status, 200, "the same chunk twice is fine")
answer = complete(upload_id, len(pieces), len(CONTENT))
check(answer.status == 422 and answer.json["success"] is False and f"Chunk {order[-1]} is missing" in answer.json["errors"][0], "a missing chunk is told", answer)
chunk(upload_id, order[-1], b"wrong")
chunk(upload_id, order[-1], pieces[order[-1]])
equal(complete(upload_id, len(pieces), len(CONTENT) + 1).status, 422, "another size is 422")
equal(complete(upload_id, len(pieces) - 1, len(CONTENT)).status, 422, "another number of chunks is 422")
equal(complete(upload_id, len(pieces), len(CONTENT), file_extension="exe").status, 422, "an extension that is not allowed is 422")
equal(complete(upload_id, len(pieces), len(CONTENT), detail="[1]").status, 422, "a detail that is no object is 422")
check(status(upload_id)["success"] is False, "before it is complete there is no file")
answer = complete(upload_id, len(pieces), len(CONTENT), detail='{"a": [1]}', appointment_id="7", user_id="u1")
check(answer.status == 200, "then it is complete", answer)
data = answer.json["data"]
equal((data["path"], data["content_type"], data["credential"]), (f"public/{upload_id}.txt", "text/plain", None), "without a credential it is public")
equal(data["detail"], {"a": [1], "appointment_id": "7", "user_id": "u1"}, "what was sent along is kept in detail")
again = complete(upload_id, len(pieces), len(CONTENT)).json["data"]
equal(again["id"], data["id"], "complete twice is the same")
equal(finished(data["id"]), "SUCCESS", "it is put together in the background")
with open(f"{FOLDER}/{upload_id}.txt", "rb") as stored:
    check(stored.read() == CONTENT, "to what was cut into pieces")
check(not os.path.exists(f"{FOLDER}/.upload-{upload_id}"), "and the pieces are gone", os.listdir(FOLDER))
got = call("GET", f"/api/v1/file/get/{data['id']}", READER).json["data"]
equal(got, {**data, "download_url": got["download_url"]}, "get says the same")
file = call("GET", f"/api/v1/files/{data['id']}", READER).json
equal((file["visibility"], file["metadata"], file["uploaded_by"], file["file_extension"]), ("public", data["detail"], "alice", "txt"), "it is a file like any other")
check(call("GET", "/" + data["download_url"].split("/", 3)[3]).body == CONTENT, "its link opens without a token")
check(chunk(upload_id, 0, b"x").status == 422, "a chunk for a finished upload is 422")
equal(call("POST", "/api/v1/file/upload/retry", USER, form=[("file_id", data["id"])]).status, 400, "retry of what is done is 400")

# --- private ---
secret = begin()["upload_id"]
chunk(secret, 0, b"secret text")
answer = complete(secret, 1, 11, credential='{"user": "u1", "n": 5, "yes": true}')
private = answer.json["data"]
check(private["path"].startswith("private/") and "signature=" in private["download_url"], "with a credential it is private, its link signed", private)
equal(finished(private["id"], "?user=u1&n=5&yes=True"), "SUCCESS", "its status needs the credential")
equal(call("GET", f"/api/v1/file/get/{private['id']}?user=u1&n=5&yes=true", READER).status, 200, "get with it opens")
for query in ("", "?user=u1", "?user=u2&n=5&yes=true", "?user=u1&n=5&yes=true&more=1"):
    answer = call("GET", f"/api/v1/file/get/{private['id']}{query}", READER)
    check(answer.status == 403 and answer.json["errors"] == [], f"get with {query or 'nothing'} is 403", answer)
    equal(call("GET", f"/api/v1/file/status/{private['id']}{query}", READER).status, 403, "so is status")
equal(call("GET", "/" + private["download_url"].split("/", 3)[3]).body, b"secret text", "its link opens")
equal(call("GET", "/" + private["download_url"].split("/", 3)[3].split("&expires")[0]).status, 401, "but not without its signature")

# --- refusals ---
equal(chunk(str(uuid.uuid4()), 0, b"x").status, 422, "a chunk of an unknown upload is 422")
equal(chunk("x", 0, b"x").status, 422, "of an id that is none, too")
fresh = begin()["upload_id"]
equal(chunk(fresh, 0, b"x" * 100001).status, 422, "a chunk that is too large is 422")
equal(chunk(fresh, 0, b"x", 100001).status, 422, "one that says it is, too")
equal(chunk(fresh, -1, b"x").status, 422, "a negative index is 422")
equal(chunk(fresh, 0, b"x", auth=token(sub="mallory")).status, 422, "another user's upload is unknown")
equal(chunk(fresh, 0, b"x", auth=token("beta")).status, 422, "another tenant's, too")
equal(call("GET", "/api/v1/file/get/fs_0000000000000000000000", READER).status, 404, "no such file is 404")
equal(call("POST", "/api/v1/file/upload/retry", USER, form=[("file_id", "fs_0000000000000000000000")]).status, 404, "to retry neither")
answer = call("POST", "/api/v1/file/upload/complete/", USER, data=urllib.parse.urlencode({"upload_id": fresh}).encode(),
              headers={"Content-Type": "application/x-www-form-urlencoded"})
check(answer.status == 422 and "[body->total_size] Field required" in answer.json["errors"], "a form may be urlencoded", answer)

# --- what is refused only as a whole, and tried again ---
trick = begin()["upload_id"]
with open("/bin/true", "rb") as program:
    elf = program.read()[:60000]
answers = [chunk(trick, 0, elf)]
if answers[0].status == 200:
    answer = complete(trick, 1, len(elf), file_extension="pdf")
    identity = answer.json["data"]["id"]
    equal(finished(identity), "FAILURE", "a program that is called pdf fails when it is whole")
    answer = call("POST", "/api/v1/file/upload/retry", USER, form=[("file_id", identity)])
    check(answer.status == 200, "it can be tried again", answer)
    equal(finished(identity), "FAILURE", "under its first id, too, and fails again")
    check(not os.path.exists(f"{FOLDER}/{trick}.pdf"), "nothing of it is to be seen")
else:
    equal(answers[0].status, 422, "a program as the first chunk is refused at once")

# --- many at once ---
def whole(number):
    import http.client
    content = b"%d " % number * 20000
    def send(path, form):
        body, kind = multipart(form)
        connection = http.client.HTTPConnection(HOST, PORT, timeout=60)
        connection.request("POST", path, body, {"Authorization": "Bearer " + USER, "Content-Type": kind})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer["data"]
    identity = send("/api/v1/file/upload/init/", [])["upload_id"]
    for index in range(0, 3):
        send("/api/v1/file/upload/chunk/", [("upload_id", identity), ("chunk_index", str(index)), ("chunk_size", "1"),
                                            ("file", ("b", content[index * 20000: (index + 1) * 20000]))])
    return send("/api/v1/file/upload/complete/", [("upload_id", identity), ("total_chunks", "3"), ("total_size", "60000"), ("file_extension", "txt"),
                                                  ("content_type", "text/plain")])["id"], content[:60000]


with concurrent.futures.ThreadPoolExecutor(12) as pool:
    results = list(pool.map(whole, range(100, 124)))
check(all(finished(identity) == "SUCCESS" for identity, _ in results), "two dozen uploads at once are all put together")
check(all(call("GET", f"/api/v1/files/{identity}", READER).json["file_hash"] == hashlib.sha256(content).hexdigest() for identity, content in results),
      "each out of its own pieces")
finish()
