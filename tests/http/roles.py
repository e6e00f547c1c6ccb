import uuid

from support import *

RANK = {None: 0, "reader": 1, "user": 2, "admin": 3}
SESSION = str(uuid.uuid4())
document = call("GET", "/openapi.json").json


class Things:
    """What a tenant has that routes name: made anew for each tenant, by its own admin."""

    def __init__(self, tenant):
        self.tenant, self.auth = tenant, token(tenant, "admin", "owner")
        self.serial = 0
        answer = upload(self.auth, "thing.txt", b"thing of " + tenant.encode())
        check(answer.status == 201, f"{tenant} has a file", answer)
        self.file = answer.json["id"]
        self.extraction = call("POST", "/api/v1/extractions/", self.auth, body={"file_id": self.file}).json["id"]
        self.job = call("POST", "/api/v1/files", self.auth, form=[("file", ("scan.txt", b"abc"))]).json["job_id"]
        answer = call("POST", "/api/v1/files/", self.auth, form=[
            ("file_name", f"set-{tenant}"), ("session_id", SESSION), ("description", "d"), ("file", ("x.csv", b"a,b\n1,2\n3,4\n"))])
        self.dataset = answer.json.get("file_name", "")
        self.upload = call("POST", "/api/v1/file/upload/init/", self.auth).json["data"]["upload_id"]
        call("POST", "/api/v1/file/upload/chunk/", self.auth, form=[
            ("upload_id", self.upload), ("chunk_index", "0"), ("chunk_size", "5"), ("file", ("c", b"chunk"))])
        answer = call("POST", "/api/v1/file/upload/complete/", self.auth, form=[
            ("upload_id", self.upload), ("total_chunks", "1"), ("total_size", "5"), ("file_extension", "txt"), ("content_type", "text/plain")])
        self.chunked = answer.json["data"]["id"]

    def victim(self):
        self.serial += 1
        return upload(self.auth, f"victim{self.serial}.txt", b"victim %d" % self.serial).json["id"]

    def tus(self):
        answer = call("POST", "/api/v1/uploads/", self.auth, headers={
            "Tus-Resumable": "1.0.0", "Upload-Length": "3", "Upload-Metadata": "filename " + base64.b64encode(b"t.txt").decode()})
        return answer.headers["Location"].split("/")[-1].split("?")[0]


TUS = {"Tus-Resumable": "1.0.0"}
# What a valid call of each operation looks like, from what a tenant has.
REQUESTS = {
    "createTenant": lambda t: dict(path={}, body={"code": "made" + uuid.uuid4().hex[:8]}),
    "changeTenant": lambda t: dict(path={"tenant_code": t.tenant}, body={"description": "changed"}),
    "replaceTenantFields": lambda t: dict(path={"tenant_code": t.tenant}, body={"description": "changed"}),
    "getTenant": lambda t: dict(path={"tenant_code": t.tenant}),
    "getTenantStats": lambda t: dict(path={"tenant_code": t.tenant}),
    "listFiles": lambda t: dict(path={"tenant_code": t.tenant}),
    "uploadFile": lambda t: dict(form=[("file", ("new.txt", b"new")), ("tenant_code", t.tenant)]),
    "uploadDatasetOrScan": lambda t: dict(form=[("file", ("scan.txt", b"more")), ("tenant_code", t.tenant)]),
    "searchFiles": lambda t: dict(body={"tenant_code": t.tenant}),
    "bulkDeleteFiles": lambda t: dict(body={"file_ids": [t.victim()]}),
    "getFile": lambda t: dict(path={"file_id": t.file}),
    "changeFile": lambda t: dict(path={"file_id": t.file}, body={"description": "x"}),
    "replaceFileFields": lambda t: dict(path={"file_id": t.file}, body={"description": "x"}),
    "deleteFile": lambda t: dict(path={"file_id": t.victim()}),
    "downloadFile": lambda t: dict(path={"file_id": t.file}),
    "getActiveFile": lambda t: dict(path={"session": SESSION}),
    "setActiveFile": lambda t: dict(path={"session": SESSION}, body={"file_name": t.dataset}),
    "createExtraction": lambda t: dict(body={"file_id": t.file}),
    "bulkCreateExtractions": lambda t: dict(body={"file_ids": [t.file]}),
    "searchExtractions": lambda t: dict(body={"file_id": t.file}),
    "retryExtractions": lambda t: dict(body={"extraction_ids": [t.extraction]}),
    "listExtractionsOfFile": lambda t: dict(path={"file_id": t.file}),
    "getExtraction": lambda t: dict(path={"extraction_id": t.extraction}),
    "uploadChunk": lambda t: dict(form=[("upload_id", call("POST", "/api/v1/file/upload/init/", t.auth).json["data"]["upload_id"]),
                                        ("chunk_index", "0"), ("chunk_size", "1"), ("file", ("c", b"c"))]),
    "completeUpload": lambda t: dict(form=[("upload_id", t.upload), ("total_chunks", "1"), ("total_size", "5"), ("file_extension", "txt"),
                                           ("content_type", "text/plain")]),
    "retryUpload": lambda t: dict(form=[("file_id", t.chunked)]),
    "getUploadedFile": lambda t: dict(path={"file_id": t.chunked}),
    "getUploadStatus": lambda t: dict(path={"file_id": t.chunked}),
    "tusCreate": lambda t: dict(headers={**TUS, "Upload-Length": "3", "Upload-Metadata": "filename dC50eHQ="}),
    "tusOffset": lambda t: dict(path={"upload_id": t.tus()}, headers=TUS),
    "tusAppend": lambda t: dict(path={"upload_id": t.tus()}, data=b"abc",
                                headers={**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}),
    "tusTerminate": lambda t: dict(path={"upload_id": t.tus()}, headers=TUS),
    "pageFile": lambda t: dict(path={"name": "app.js"}),
}
# Operations whose request names nothing of a tenant: in another tenant they do the caller's own.
NAMELESS = {"listTenants", "createTenant", "listDatasets", "initUpload", "tusCreate", "tusOptions", "listPendingExtractions", "extractionStats",
            "cleanUpExtractions", "cleanUp", "setActiveFile", "getActiveFile"}
# What is for a token that opens all tenants, beyond the role.
ALL_TENANTS = {"createTenant", "deleteTenant", "cleanUp"}
# A request that is fine but meets a state: complete and done already, no active file of this user, ….
GOOD = {200, 201, 202, 204, 206}
STATES = {"retryUpload": {400}, "completeUpload": {422}, "uploadChunk": {422}, "tusOffset": {404}, "tusAppend": {404}, "tusTerminate": {404},
          "getActiveFile": {404}, "setActiveFile": {404}}

own, foreign = Things("acme"), Things("beta")


def send(operation, method, template, things, auth):
    request = REQUESTS.get(operation, lambda t: {})(things)
    path = template
    for name, value in request.pop("path", {}).items():
        path = path.replace("{" + name + "}", value)
    return call(method.upper(), path, auth, **request)


def walk():
    for template, operations in document["paths"].items():
        for method, operation in operations.items():
            yield template, method, operation


walked = 0
for template, method, operation in walk():
    name = operation["operationId"]
    if name in ("deleteTenant",):
        continue  # below: it would take the things away
    least = RANK[operation.get("x-least-role")]
    if "{" in template and name not in REQUESTS:
        check(False, f"{name} has a request in this test")
        continue
    for role in (None, "reader", "user", "admin"):
        # The owner's sub: chunked and tus uploads belong to who began them.
        auth = token("acme", role, "owner") if role else None
        answer = send(name, method, template, own, auth)
        walked += 1
        if least == 0:
            check(answer.status in GOOD | {503}, f"{name} is for everybody ({role})", answer)
        elif role is None:
            check(answer.status == 401, f"{name} without a token: 401", answer)
        elif RANK[role] < least:
            check(answer.status == 403, f"{name} as {role}: 403", answer)
        elif name in ALL_TENANTS:
            check(answer.status == 403, f"{name} as {role} of one tenant: 403", answer)
        else:
            check(answer.status in GOOD | STATES.get(name, set()), f"{name} as {role}: done", answer)
        if least == 0 or role is None or RANK[role] < least or name in NAMELESS:
            continue
        answer = send(name, method, template, foreign, auth)
        walked += 1
        wanted = {404}
        if name in ("searchExtractions", "retryExtractions", "bulkDeleteFiles", "bulkCreateExtractions"):
            # The ids of another tenant are no error of the whole request: they are just not there.
            own_text = answer.body.decode()
            check(answer.status in (200, 202) and foreign.extraction not in own_text and '"deleted":1' not in own_text.replace(" ", ""),
                  f"{name} as {role} with another tenant's ids finds nothing", answer)
            continue
        if name in ("completeUpload", "uploadChunk"):
            wanted = {422}  # of this service: an upload that is unknown
        check(answer.status in wanted, f"{name} as {role} for another tenant: {wanted}", answer)

check(walked > 250, f"the walk was long ({walked} calls)")
equal(call("GET", f"/api/v1/files/{foreign.file}", foreign.auth).status, 200, "the other tenant's file is still there")
equal(call("GET", f"/api/v1/files/{foreign.file}/download", foreign.auth).body, b"thing of beta", "and unchanged")

# A token for all tenants, by name and by id.
every = token("*", "admin", "owner")
equal(call("GET", f"/api/v1/files/{foreign.file}", every).status, 200, "a token for all tenants finds a file by its id")
equal(call("GET", f"/api/v1/files/{foreign.file}?tenant_code=acme", every).status, 404, "but not in a tenant that has not got it")
equal(call("GET", f"/api/v1/extractions/{foreign.extraction}", every).status, 200, "and an extraction")
for role, wanted in (("reader", 403), ("user", 403), ("admin", 403)):
    equal(call("DELETE", "/api/v1/tenants/beta", token("beta", role)).status, wanted, f"a tenant cannot delete itself ({role})")
for role in ("reader", "user"):
    equal(call("DELETE", "/api/v1/tenants/beta", token("*", role)).status, 403, f"nor a {role} of all tenants")
equal(call("DELETE", "/api/v1/tenants/beta", token("acme", "admin")).status, 404, "nor the admin of another")
equal(call("PATCH", "/api/v1/tenants/acme", token("acme", "admin"), body={"storage_quota_bytes": 1}).status, 403,
      "a tenant's own admin does not set its limits")
finish()
