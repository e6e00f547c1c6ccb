import uuid

from support import *

USER, READER, ADMIN, ROOT = token(), token(role="reader"), token(role="admin"), token("*", "admin", "root")
csv = upload(USER, "table.csv", b"name,n\nalpha,1\nbeta,2\n").json["id"]
text = upload(USER, "words.txt", b"The quick brown fox of Zanzibar").json["id"]


def completed(identity, auth=USER):
    return wait_for(lambda: (lambda answer: answer if answer.json.get("status") in ("completed", "failed") else None)(
        call("GET", f"/api/v1/extractions/{identity}", auth)), 30)


shown = {"text": {"extracted_text"}, "metadata": {"metadata"}, "structured_data": {"structured_data"},
         "full": {"extracted_text", "metadata", "structured_data"}}
for kind, fields in shown.items():
    answer = call("POST", "/api/v1/extractions/", USER, body={"file_id": csv, "extraction_type": kind})
    check(answer.status == 202 and answer.json["extraction_type"] == kind, f"an extraction of type {kind} is taken on", answer)
    answer = completed(answer.json["id"]).json
    equal({field for field in ("extracted_text", "metadata", "structured_data") if answer[field] is not None}, fields, f"and shows {sorted(fields)}")
check(answer["status"] == "completed" and answer["confidence_score"] > 0 and answer["processing_time_ms"] >= 0 and answer["completed_at"], "with its measures", answer)
check("alpha" in answer["extracted_text"], "its text is there", answer["extracted_text"])
equal(call("POST", "/api/v1/extractions/", USER, body={"file_id": csv}).json["extraction_type"], "full", "without a type it is full")
answer = call("POST", "/api/v1/extractions/", USER, body={"file_id": csv, "force": True})
check(answer.status == 202 and completed(answer.json["id"]).json["status"] == "completed", "by force the content is read again", answer)
equal(call("POST", "/api/v1/extractions/", USER, body={"file_id": "fs_0000000000000000000000"}).status, 404, "no such file is 404")
equal(call("POST", "/api/v1/extractions/", USER, body={"file_id": csv, "extraction_type": "magic"}).status, 422, "no such type is 422")
equal(call("GET", f"/api/v1/extractions/{uuid.uuid4()}", USER).status, 404, "no such extraction is 404")
equal(call("GET", "/api/v1/extractions/x", USER).status, 422, "an id that is none is 422")
empty = upload(USER, "void.txt", b"").json["id"]
equal(completed(call("POST", "/api/v1/extractions/", USER, body={"file_id": empty}).json["id"]).json["status"], "completed", "an empty file is done at once")

automatic = call("GET", f"/api/v1/extractions/file/{text}", READER).json
check(len(automatic) == 1 and automatic[0]["extraction_type"] == "full", "the one that runs by itself is shown until another is asked for", automatic)
equal(completed(automatic[0]["id"], READER).json["extracted_text"], "The quick brown fox of Zanzibar", "and found by its id")
asked = call("GET", f"/api/v1/extractions/file/{csv}", READER).json
check(len(asked) == 6 and asked[0]["created_at"] >= asked[-1]["created_at"], "those asked for are a list, the newest first", asked)
equal(call("GET", "/api/v1/extractions/file/fs_0000000000000000000000", USER).status, 404, "of no file is 404")

answer = call("POST", "/api/v1/extractions/bulk", USER, body={"file_ids": [csv, text, "fs_0000000000000000000000"], "extraction_type": "text"})
check(answer.status == 202 and len(answer.json["extractions"]) == 2 and answer.json["not_found"] == ["fs_0000000000000000000000"], "many are asked for at once", answer)
search = lambda **filters: call("POST", "/api/v1/extractions/search", USER, body=filters).json
equal(search(file_id=text)["pagination"]["total_extractions"], 1, "search by file")
check(wait_for(lambda: search(text="Zanzibar", status="completed")["pagination"]["total_extractions"] == 1), "by text and status", search(text="Zanzibar"))
equal(search(extraction_type="metadata")["pagination"]["total_extractions"], 1, "by type")
equal(search(filters={"created_after": "2999-01-01"})["extractions"], [], "by time, also under filters")
page = search(pagination={"page": 2, "limit": 3})
equal((len(page["extractions"]), page["pagination"]["page"]), (3, 2), "with pages")

broken = upload(USER, "broken.pdf", b"%PDF-1.4\nnothing of a PDF\n").json["id"]
failed = call("POST", "/api/v1/extractions/", USER, body={"file_id": broken}).json["id"]
answer = completed(failed).json
check(answer["status"] == "failed" and answer["error"], "a broken file fails with its reason", answer)
answer = call("POST", "/api/v1/extractions/retry", USER, body={"extraction_ids": [failed.upper()]})
check(answer.status == 202 and answer.json == {"extraction_ids": [failed], "retried": 1}, "a failed one is tried again", answer)
equal(completed(failed).json["status"], "failed", "and fails again")
check(call("POST", "/api/v1/extractions/retry", USER).json["retried"] >= 1, "without ids all failed ones are")
check(isinstance(call("GET", "/api/v1/extractions/queue/pending", READER).json, list), "the queue is a list")
own, whole = call("GET", "/api/v1/extractions/stats/global", ADMIN).json, call("GET", "/api/v1/extractions/stats/global", ROOT).json
check(whole["total"] >= own["total"] > 0 and own["by_status"].get("completed", 0) > 0, "there are figures, of a tenant and of all", own)

gone = upload(USER, "gone.txt", b"soon to go").json["id"]
ask = call("POST", "/api/v1/extractions/", USER, body={"file_id": gone}).json["id"]
completed(ask)
call("DELETE", f"/api/v1/files/{gone}", USER)
equal(call("POST", "/api/v1/extractions/admin/cleanup?days_old=30", ADMIN).json["deleted_extractions"], 0, "what is not old stays")
answer = call("POST", "/api/v1/extractions/admin/cleanup?days_old=0", ADMIN).json
check(answer["deleted_extractions"] == 1 and answer["deleted_results"] >= 1, "extractions of removed files are cleaned away", answer)
equal(call("GET", f"/api/v1/extractions/{ask}", USER).status, 404, "and gone")
check(call("GET", f"/api/v1/extractions/{automatic[0]['id']}", USER).json["extracted_text"], "a living file's result stays")
finish()
