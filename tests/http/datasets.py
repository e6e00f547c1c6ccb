import io
import os
import subprocess
import time
import uuid

from support import *

ALICE, BOB = token(sub="alice"), token(sub="bob/../ x")
SESSION, OTHER = str(uuid.uuid4()), str(uuid.uuid4())
MONTH = time.strftime("%Y-%m", time.gmtime())
ROWS = b"date,product,sales,region,quantity\n" + b"".join(b"2024-01-%02d,p%d,%d.5,north,%d\n" % (day, day, day, day) for day in range(1, 29))
SUMMARY = ("The dataset has **28 rows** and **5 columns**.\n\nIt contains the following features:\n\n- **date**: `datetime64[ns]`\n- **product**: `object`\n"
           "- **sales**: `float64`\n- **region**: `object`\n- **quantity**: `int64`")


def store(auth, name, content=ROWS, session=SESSION, file_name="data.csv", description="Sales", order=0):
    form = [("file_name", name), ("session_id", session), ("description", description), ("file", (file_name, content))]
    return call("POST", "/api/v1/files/", auth, form=form[order:] + form[:order])


def redis(*words):
    return subprocess.run(["redis-cli", "-s", os.environ["REDIS_URL"].removeprefix("unix://"), *words], capture_output=True, text=True, check=True).stdout.strip()


answer = store(ALICE, "sales")
check(answer.status == 200 and answer.json["summary"] == SUMMARY, "a dataset answers with its summary, as pandas names its types", answer)
equal((answer.json["file_name"], answer.json["description"], answer.json["storage_uri"]),
      ("sales", "Sales", f"local://{MOUNT}/acme/{MONTH}/alice_sales.csv"), "its name, description and place")
sales = answer.json["id"]
with open(f"{MOUNT}/acme/{MONTH}/alice_sales.csv", "rb") as stored:
    equal(stored.read(), ROWS, "it is stored as user_name.csv")
equal(store(ALICE, "sales", b"a\n1\n").status, 409, "its name is taken for this user")
answer = store(BOB, "sales", ROWS.replace(b"north", b"south"), order=3)
check(answer.status == 200, "for another it is not; and the file may stand first", answer)
check(os.path.exists(f"{MOUNT}/acme/{MONTH}/bob%2F..%2F%20x_sales.csv"), "what a user may be called that a file may not is escaped", os.listdir(f"{MOUNT}/acme/{MONTH}"))
equal([dataset["file_name"] for dataset in call("GET", "/api/v1/files/", ALICE).json], ["sales"], "everybody lists their own")
equal(call("GET", "/api/v1/files/sales", ALICE).json["id"], sales, "and finds it by name")

# --- the active file ---
active = call("GET", f"/api/v1/files/active/{SESSION}", ALICE)
equal((active.json["file_name"], active.json["summary"]), ("sales", SUMMARY), "an upload is the active file of its session")
key = f"active_file:useralice:session:{SESSION}"
equal(redis("HGET", key, "storage_type"), "local", "in Redis, too")
equal((redis("HGET", key, "user_id"), redis("HGET", key, "file_name")), ("alice", "sales"), "with its user and its name")
redis("EXPIRE", key, "100")
call("GET", f"/api/v1/files/active/{SESSION}", ALICE)
check(int(redis("TTL", key)) > 3500, "for an hour from the last reading")
equal(call("GET", f"/api/v1/files/active/{OTHER}", ALICE).status, 404, "another session has none")
equal(call("GET", f"/api/v1/files/active/{SESSION}", token("beta", sub="alice")).status, 404, "nor has the same user of another tenant")
equal(call("GET", "/api/v1/files/active/x", ALICE).status, 422, "a session that is no UUID is 422")
answer = store(ALICE, "second", b"a,b\n1,2\n", OTHER)
check(answer.status == 200, "a second dataset, in another session", answer)
equal(call("GET", f"/api/v1/files/active/{SESSION}", ALICE).json["file_name"], "sales", "does not change the first")
answer = call("POST", f"/api/v1/files/active/{SESSION}", ALICE, body={"file_name": "second"})
check(answer.status == 200 and answer.body == b"null", "another can be chosen", answer)
equal(call("GET", f"/api/v1/files/active/{SESSION.upper()}", ALICE).json["file_name"], "second", "and is active then, whatever the letters' case")
equal(call("POST", f"/api/v1/files/active/{SESSION}", ALICE, body={"file_name": "none"}).status, 404, "one that is not there is 404")
equal(call("POST", f"/api/v1/files/active/{SESSION}", BOB, body={"file_name": "second"}).status, 404, "so is another user's")
redis("DEL", key)
equal(call("GET", f"/api/v1/files/active/{SESSION}", ALICE).json["file_name"], "second", "what Redis has lost PostgreSQL knows")
check(redis("EXISTS", key) == "1", "and Redis has it again")

# --- refusals ---
for name, form, wanted in (
        ("no session", [("file_name", "a"), ("description", "d"), ("file", ("a.csv", b"a\n1\n"))], 422),
        ("no description", [("file_name", "a"), ("session_id", SESSION), ("file", ("a.csv", b"a\n1\n"))], 422),
        ("no name", [("session_id", SESSION), ("description", "d"), ("file", ("a.csv", b"a\n1\n"))], 422),
        ("no file", [("file_name", "a"), ("session_id", SESSION), ("description", "d")], 422),
        ("a session that is none", [("file_name", "a"), ("session_id", "x"), ("description", "d"), ("file", ("a.csv", b"a\n1\n"))], 422)):
    equal(call("POST", "/api/v1/files", ALICE, form=form).status, wanted, f"a dataset with {name} is {wanted}")
for name in ("fs_0123456789012345678901", str(uuid.uuid4()), "a/b", "..", ".x"):
    equal(store(ALICE, name).status, 422, f"{name} is no name for a dataset")
equal(store(ALICE, "excel", ROWS, file_name="data.xlsx").status, 422, "another extension is 422")
answer = store(ALICE, "image", b"\x89PNG\r\n\x1a\n" + b"\0" * 2000)
check(answer.status == 422 and isinstance(answer.json["detail"], str), "an image that is called .csv is 422", answer)
equal(store(ALICE, "empty", b"").status, 422, "an empty file is 422")
check(not [name for name in os.listdir(f"{MOUNT}/acme/{MONTH}") if "image" in name or "excel" in name or name.startswith(".upload")], "none of them is left",
      os.listdir(f"{MOUNT}/acme/{MONTH}"))
equal(store(ALICE, "image", ROWS + b"2024-02-01,x,1.0,y,2\n").status, 200, "and their names are free")

# --- delete ---
call("POST", f"/api/v1/files/active/{SESSION}", ALICE, body={"file_name": "second"})
answer = call("DELETE", "/api/v1/files/second", ALICE)
check(answer.status == 200 and answer.body == b"null", "a dataset is deleted by its name", answer)
equal(call("GET", f"/api/v1/files/active/{SESSION}", ALICE).status, 404, "whose active file it was has none")
equal(redis("EXISTS", key), "0", "neither in Redis")
equal(call("DELETE", "/api/v1/files/second", ALICE).status, 404, "twice is 404")
call("POST", f"/api/v1/files/active/{SESSION}", ALICE, body={"file_name": "sales"})
os.unlink(f"{MOUNT}/acme/{MONTH}/alice_sales.csv")
check(wait_for(lambda: call("GET", f"/api/v1/files/active/{SESSION}", ALICE).status == 404, 3), "one removed through the mount is not active any more")
equal([dataset["file_name"] for dataset in call("GET", "/api/v1/files/", ALICE).json], ["image"], "nor listed")
equal(store(ALICE, "sales", ROWS + b"2024-03-01,x,1.0,y,2\n").status, 200, "and its name is free")
finish()
