import os
import time

from support import *

ROOT, ADMIN = token("*", "admin", "root"), token("acme", "admin")

answer = call("POST", "/api/v1/tenants/", ROOT, body={"code": "gamma", "name": "Gamma", "description": "third", "storage_quota_bytes": 10000,
                                                      "file_count_limit": 3, "configuration": {"allowed_extensions": [".txt"], "max_file_size": 6000}})
check(answer.status == 201 and answer.json["code"] == "gamma" and answer.json["id"] == answer.json["_id"], "a tenant is created", answer)
equal(call("POST", "/api/v1/tenants", ROOT, body={"code": "gamma"}).status, 409, "its code is taken then")
for code in ("", "a b", "2026-11", "current", "x" * 64, "../x", "-x", ".id", 5):
    equal(call("POST", "/api/v1/tenants", ROOT, body={"code": code}).status, 422, f"the code {code!r} is 422")
for configuration in ({"max_file_size": "x"}, {"allowed_extensions": 5}, []):
    equal(call("POST", "/api/v1/tenants", ROOT, body={"code": "delta", "configuration": configuration}).status, 422, f"{configuration} is no configuration")
equal(call("POST", "/api/v1/tenants", ADMIN, body={"code": "delta"}).status, 403, "the admin of one tenant makes no other")
check({"acme", "beta", "gamma"} <= {tenant["code"] for tenant in call("GET", "/api/v1/tenants/", ROOT).json}, "all are listed")
equal([tenant["code"] for tenant in call("GET", "/api/v1/tenants/", ADMIN).json], ["acme"], "its own alone for a tenant's")
page = call("GET", "/api/v1/tenants/?limit=2", ROOT)
equal(len(page.json), 2, "a page of them")
equal(call("GET", f"/api/v1/tenants/?limit=2&cursor={page.headers['X-Next-Cursor']}", ROOT).json[0]["code"] > page.json[1]["code"], True, "and the next")

wait_for(lambda: os.path.isdir(f"{MOUNT}/gamma/current"), 10)
equal(upload(ROOT, "one.txt", b"x" * 5000, tenant_code="gamma").status, 201, "files go in")
answer = upload(ROOT, "two.txt", b"x" * 6001, tenant_code="gamma")
equal(answer.status, 413, "one byte too large is 413")
answer = upload(ROOT, "two.txt", b"y" * 5001, tenant_code="gamma")
equal(answer.status, 507, "one byte over the quota is 507")
equal(upload(ROOT, "two.pdf", b"x", tenant_code="gamma").status, 422, "an extension that is not allowed is 422")
equal(upload(ROOT, "two.txt", b"y", tenant_code="gamma").status, 201, "what fits goes in")
equal(upload(ROOT, "three.txt", b"z", tenant_code="gamma").status, 201, "up to the number of files")
equal(upload(ROOT, "four.txt", b"z", tenant_code="gamma").status, 507, "and no further")
head = (f"POST /api/v1/files/upload?tenant_code=gamma HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ROOT}\r\nContent-Length: 99999999\r\n"
        "Content-Type: multipart/form-data; boundary=X\r\n")
got = raw(head + "Expect: 100-continue\r\n\r\n", timeout=5)
equal(raw_status(got), 413, "a length that is too much is 413 before the body is sent")
got = raw(head + "\r\n--X\r\n" + "x" * 3000000, timeout=8)
equal(raw_status(got), 413, "also to one who does not ask first")

answer = call("GET", "/api/v1/tenants/gamma", ROOT).json
equal((answer["storage_quota_bytes"], answer["stats"]["files"], answer["stats"]["bytes"]), (10000, 3, 5002), "a tenant shows its figures")
equal(call("GET", "/api/v1/tenants/gamma/stats", ROOT).json["files"], 3, "and alone")
answer = call("PUT", "/api/v1/tenants/gamma", ROOT, body={"code": "gamma", "name": "New", "storage_quota_bytes": None})
check(answer.status == 200 and answer.json["name"] == "New" and answer.json["storage_quota_bytes"] is None, "it is changed", answer)
equal(call("PUT", "/api/v1/tenants/gamma", ROOT, body={"code": "other"}).status, 409, "but for its code")
equal(call("PATCH", "/api/v1/tenants/acme", ADMIN, body={"description": "mine"}).status, 200, "a tenant's admin changes what is its own")
equal(call("GET", "/api/v1/tenants/nobody", ROOT).status, 404, "none is 404")

call("PATCH", "/api/v1/tenants/gamma", ROOT, body={"is_active": False})
check(wait_for(lambda: call("GET", "/api/v1/files/tenant/gamma", ROOT).status == 403, 3), "an inactive tenant answers 403")
equal(upload(ROOT, "x.txt", b"x", tenant_code="gamma").status, 403, "takes nothing")
equal(call("GET", "/api/v1/tenants/gamma", ROOT).json["is_active"], False, "and can still be seen")
call("PATCH", "/api/v1/tenants/gamma", ROOT, body={"is_active": True, "file_count_limit": None})
check(wait_for(lambda: upload(ROOT, "x.txt", b"x", tenant_code="gamma").status == 201, 5), "until it is active again")

start = time.monotonic()
answer = call("DELETE", "/api/v1/tenants/gamma", ROOT, timeout=90)
check(answer.status == 200 and answer.json["files"] >= 4, f"a tenant is deleted with its files ({time.monotonic() - start:.1f} s)", answer)
equal(call("GET", "/api/v1/tenants/gamma", ROOT).status, 404, "and is gone")
check(wait_for(lambda: not os.path.exists(f"{MOUNT}/gamma"), 5), "from the mount too")
equal(call("POST", "/api/v1/tenants", ROOT, body={"code": "gamma"}).status, 201, "its code is free again")
finish()
