import os
import subprocess
import uuid

from support import *

USER, READER = token(), token(role="reader")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def scan(name, content, auth=USER):
    return call("POST", "/api/v1/files", auth, form=[("file", (name, content))])


def result(job):
    return wait_for(lambda: (lambda answer: answer if answer.json["status"] in ("completed", "failed") else None)(call("GET", f"/api/v1/files/{job}", READER)), 30)


def count(content):
    text = content.decode("latin-1").upper()
    return {letter: text.count(letter) for letter in LETTERS}


content = b"AAABBBCCC Hello World aaabbbccc \xc3\x84\xc3\x96 zzz"
answer = scan("document.txt", content)
check(answer.status == 200 and answer.json["deduplication"] is False and answer.json["status"] in ("pending", "processing", "completed"), "a file is taken for scanning", answer)
job = answer.json["job_id"]
done = result(job).json
wanted = {letter: content.upper().count(letter.encode()) for letter in LETTERS}
equal(done["results"], wanted, "its letters are counted, without regard to case, over its bytes")
equal((done["original_filename"], done["file_size"], done["error_message"]), ("document.txt", len(content), None), "the job knows its file")
check(done["created_at"] <= done["updated_at"] and done["completed_at"], "and its times", done)
equal(call("GET", f"/api/v1/files/{job}", READER).json, done, "asked again it says the same")
key = f"job:{job}:status"
redis = lambda *words: subprocess.run(["redis-cli", "-s", os.environ["REDIS_URL"].removeprefix("unix://"), *words], capture_output=True, text=True, check=True).stdout.strip()
check(redis("EXISTS", key) == "1" and 0 < int(redis("TTL", key)) <= 3600, "Redis keeps it for an hour")
equal(call("GET", f"/api/v1/files/{job}", token("beta")).status, 404, "for its tenant alone")

answer = scan("again.txt", content)
check(answer.json["deduplication"] is True and answer.json["status"] == "completed" and answer.json["results"] == wanted and answer.json["job_id"] != job,
      "the same content answers at once, with a job of its own", answer)
equal(call("GET", f"/api/v1/files/{answer.json['job_id']}", READER).json["original_filename"], "again.txt", "under its own name")
answer = scan("again.txt", content, token("beta"))
equal(answer.json["deduplication"], False, "another tenant's content is no duplicate")
empty = scan("empty.txt", b"").json
equal((empty["status"], empty["results"]), ("completed", dict.fromkeys(LETTERS, 0)), "an empty file has none of each")
table = scan("t.csv", b"name,x\nQuebec,1\n").json["job_id"]
equal(result(table).json["results"], count(b"name,x\nQuebec,1\n"), "a CSV is counted over its bytes as well")
broken = scan("b.pdf", b"%PDF-1.4\nbroken\n").json["job_id"]
answer = result(broken).json
check(answer["status"] == "failed" and answer["error_message"] and answer["results"] is None, "what cannot be read fails with its reason", answer)
equal(call("GET", f"/api/v1/files/{uuid.uuid4()}", USER).status, 404, "no such job is 404")
finish()
