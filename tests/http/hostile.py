import time

from support import *

USER = token()
HEAD = f"Host: {HOST}\r\nAuthorization: Bearer {USER}\r\n"


def closes(name, text, wanted=400):
    got = raw(text + "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", timeout=5)
    # libmicrohttpd 0.9.75 writes the head of its own errors twice; what counts is that nothing behind them is answered.
    check(raw_status(got) == wanted and b"HTTP/1.1 200" not in got, name, got[:600])


# --- where a request ends ---
closes("two different Content-Lengths are refused and the connection is closed",
       f"POST /api/v1/tenants HTTP/1.1\r\n{HEAD}Content-Length: 2\r\nContent-Length: 5\r\n\r\n{{}}")
closes("two equal Content-Lengths are refused too",
       f"POST /api/v1/tenants HTTP/1.1\r\n{HEAD}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}")
closes("Content-Length with chunked is refused",
       f"POST /api/v1/tenants HTTP/1.1\r\n{HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
closes("another Transfer-Encoding is refused", f"POST /api/v1/tenants HTTP/1.1\r\n{HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")
closes("a list of Transfer-Encodings is refused",
       f"POST /api/v1/tenants HTTP/1.1\r\n{HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")
closes("a sign before Content-Length is refused", f"POST /api/v1/tenants HTTP/1.1\r\n{HEAD}Content-Length: +2\r\n\r\n{{}}")
closes("a list as Content-Length is refused", f"POST /api/v1/tenants HTTP/1.1\r\n{HEAD}Content-Length: 2, 2\r\n\r\n{{}}")
closes("a blank before the colon is refused", f"POST /api/v1/tenants HTTP/1.1\r\n{HEAD}Content-Length : 2\r\n\r\n{{}}")
closes("two Hosts are refused", f"GET /livez HTTP/1.1\r\n{HEAD}Host: other\r\n\r\n")
closes("no Host is refused", "GET /livez HTTP/1.1\r\n\r\n")
closes("a Host with a slash is refused", "GET /livez HTTP/1.1\r\nHost: a/b\r\n\r\n")
closes("a control character in a header is refused", "GET /livez HTTP/1.1\r\nHost: a\r\nX-A: b\1c\r\n\r\n")
closes("a blank in the URL is refused", "GET /livez HTTP/1.0 HTTP/1.1\r\nHost: a\r\n\r\n")
closes("two tokens are refused", f"GET /api/v1/files HTTP/1.1\r\n{HEAD}Authorization: Bearer x\r\n\r\n")
closes("101 headers are refused", f"GET /livez HTTP/1.1\r\n{HEAD}" + "".join(f"X-{i}: 1\r\n" for i in range(101)) + "\r\n")
got = raw("GET /livez HTTP/1.1\r\nHost: a\r\nX: " + "x" * 100000 + "\r\n\r\n", timeout=5)
check(raw_status(got) in (0, 400, 413, 431), "a header of 100 KB is refused", got[:200])
got = raw("GET /" + "x" * 20000 + " HTTP/1.1\r\nHost: a\r\n\r\n", timeout=5)
check(raw_status(got) in (414, 404), "a URL of 20 KB is refused", got[:200])
got = raw("GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
equal(got.count(b"HTTP/1.1 200"), 2, "two requests in one packet are two answers")
got = raw(f"POST /api/v1/tenants HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nzz\r\n", timeout=5)
equal(raw_status(got), 400, "a chunk without a length is refused")
got = raw(f"POST /api/v1/tenants HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"
          "ffffffffffffffffff\r\n", timeout=5)
check(raw_status(got) in (400, 413), "a chunk longer than any number is refused", got[:200])
got = raw("BREW / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
check(raw_status(got) in (405, 501), "an unknown method is refused", got[:200])
got = raw("OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
check(raw_status(got) in (204, 400, 404), "OPTIONS * is answered", got[:200])
got = raw(f"GET http://{HOST}/livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
equal(raw_status(got), 200, "an absolute URL is understood")

# --- paths ---
for path in ("/api/v1/files/..%2f..%2fetc%2fpasswd", "/api/v1/files/%2e%2e%2f", "/api/v1/files/a%00b", "/api/v1/files/%zz",
             "/api/v1/files/%ff", "/api/v1/files/%0d%0aX:%20y", "/page/..%2fmain.c"):
    equal(call("GET", path, USER).status, 400, f"{path} is refused")
for path in ("/page/../main.c", "/page/..", "/page/main.c", "/page/%2e%2e", "/api/v1/files/../../../etc/passwd", "//livez", "/livez//",
             "/api/v1/../../livez"):
    check(call("GET", path, USER).status in (404, 405), f"{path} is not found")
equal(call("GET", "/api/v1/files/?a=%zz", USER).status, 400, "a broken escape in a query is refused")
equal(call("GET", "/api/v1/files/?" + "&".join("a=1" for _ in range(65)), USER).status, 400, "65 values in a query are refused")
equal(call("GET", "/api/v1/files/tenant/acme?limit=0", USER).status, 422, "a limit of 0 is refused")
equal(call("GET", "/api/v1/files/tenant/acme?limit=1e3", USER).status, 422, "a limit that is no number is refused")

# --- what comes back never holds what was put in raw ---
answer = call("GET", "/livez", headers={"X-Request-ID": "abc-1.2_3"})
equal(answer.headers["X-Request-ID"], "abc-1.2_3", "a request id is taken over")
for bad in ("a b", "x" * 65, "a\"b", "<script>"):
    answer = call("GET", "/livez", headers={"X-Request-ID": bad})
    check(answer.headers["X-Request-ID"] != bad and len(answer.headers["X-Request-ID"]) == 32, f"the request id {bad[:10]!r} is not", answer.headers)

# --- tokens ---
now = int(time.time())
good = {"sub": "alice", "tenant": "acme", "role": "user", "exp": now + 600}
tokens = {
    "no token": None,
    "an empty token": "",
    "a word": "x",
    "alg none": encode(b'{"alg":"none"}') + "." + encode(json.dumps(good).encode()) + ".",
    "alg None with a signature": sign({"alg": "None"}, good),
    "alg HS512": sign({"alg": "HS512"}, good),
    "alg RS256 signed with our secret": sign({"alg": "RS256"}, good),
    "no alg": sign({"typ": "JWT"}, good),
    "another type": sign({"alg": "HS256", "typ": "JWE"}, good),
    "crit": sign({"alg": "HS256", "crit": ["exp"]}, good),
    "another secret": sign({"alg": "HS256"}, good, b"y" * 32),
    "expired": sign({"alg": "HS256"}, {**good, "exp": now - 1}),
    "no exp": sign({"alg": "HS256"}, {key: good[key] for key in ("sub", "tenant", "role")}),
    "exp as text": sign({"alg": "HS256"}, {**good, "exp": "never"}),
    "not yet": sign({"alg": "HS256"}, {**good, "nbf": now + 60}),
    "no sub": sign({"alg": "HS256"}, {key: good[key] for key in ("exp", "tenant", "role")}),
    "an empty sub": sign({"alg": "HS256"}, {**good, "sub": ""}),
    "a number as sub": sign({"alg": "HS256"}, {**good, "sub": 1}),
    "an unknown role": sign({"alg": "HS256"}, {**good, "role": "root"}),
    "an empty tenant": sign({"alg": "HS256"}, {**good, "tenant": ""}),
    "a tenant that is a list": sign({"alg": "HS256"}, {**good, "tenant": ["acme"]}),
    "a signature cut short": sign({"alg": "HS256"}, good)[:-1],
    "a signature with more": sign({"alg": "HS256"}, good) + "A",
    "a fourth part": sign({"alg": "HS256"}, good) + ".x",
    "claims that are no JSON": (lambda text: text + "." + encode(hmac.new(SECRET, text.encode(), hashlib.sha256).digest()))(
        encode(b'{"alg":"HS256"}') + "." + encode(b"{")),
    "the same claim twice": (lambda text: text + "." + encode(hmac.new(SECRET, text.encode(), hashlib.sha256).digest()))(
        encode(b'{"alg":"HS256"}') + "." + encode(b'{"sub":"a","sub":"b","exp":99999999999}')),
}
for name, value in tokens.items():
    headers = {} if value is None else {"Authorization": "Bearer " + value}
    answer = call("GET", "/api/v1/files", headers=headers)
    check(answer.status == 401 and "WWW-Authenticate" in answer.headers, f"{name}: 401 with a challenge", answer)
equal(call("GET", "/api/v1/files", headers={"Authorization": "Basic YTpi"}).status, 401, "Basic is 401")
equal(call("GET", "/api/v1/files", headers={"Authorization": "bearer " + USER}).status, 200, "the word Bearer in any case is fine")
equal(call("GET", "/api/v1/files", token(role=None)).status, 200, "a token without a role reads as a user")
equal(call("POST", "/api/v1/tenants", token(role=None), body={"code": "x"}).status, 403, "and is no admin")
equal(call("GET", "/api/v1/files", token(tenant=None)).status, 200, "a token without a tenant is the default tenant's")
equal(call("GET", "/api/v1/tenants/beta", token(tenant=None)).status, 404, "and no other's")

# --- bodies that are none ---
for name, body, wanted in (("an empty body", b"", 422), ("no JSON", b"{", 422), ("JSON with a key twice", b'{"code":"a","code":"b"}', 422),
                           ("a list", b"[]", 422), ("a NUL in a text", b'{"code":"a\\u0000"}', 422), ("nested too deep", b"[" * 100000, 422)):
    answer = call("POST", "/api/v1/tenants", token("*", "admin"), data=body, headers={"Content-Type": "application/json"})
    equal(answer.status, wanted, f"{name} is refused")
answer = call("POST", "/api/v1/tenants", token("*", "admin"), data=b"{}", headers={"Content-Type": "text/plain"})
equal(answer.status, 415, "a body of another type is 415")
answer = call("POST", "/api/v1/tenants", token("*", "admin"), data=b" " * (5 << 20), headers={"Content-Type": "application/json"})
equal(answer.status, 413, "JSON of 5 MB is 413")
got = raw(f"POST /api/v1/tenants HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token('*', 'admin')}\r\nContent-Type: application/json\r\n\r\n")
equal(raw_status(got), 411, "a POST without a length is 411")
for name, kind, body, wanted in (
        ("a form without a boundary", "multipart/form-data", b"x", 400),
        ("a form with two boundaries", "multipart/form-data; boundary=a; boundary=b", b"x", 400),
        ("a form that is JSON", "application/json", b"{}", 415),
        ("a form without its end", "multipart/form-data; boundary=X", b'--X\r\nContent-Disposition: form-data; name="description"\r\n\r\n1', 400),
        ("a form with 65 parts", "multipart/form-data; boundary=X",
         b'--X\r\nContent-Disposition: form-data; name="z"\r\n\r\n1\r\n' * 65 + b"--X--", 400),
        ("a form with a header of 9 KB", "multipart/form-data; boundary=X", b"--X\r\nA: " + b"x" * 9000 + b"\r\n\r\n", 400),
        ("a form with a field twice", "multipart/form-data; boundary=X",
         b'--X\r\nContent-Disposition: form-data; name="tags"\r\n\r\n1\r\n' * 2 + b"--X--", 422),
        ("a form with base64", "multipart/form-data; boundary=X",
         b'--X\r\nContent-Disposition: form-data; name="tags"\r\nContent-Transfer-Encoding: base64\r\n\r\n1\r\n--X--', 400),
        ("a form without its file", "multipart/form-data; boundary=X",
         b'--X\r\nContent-Disposition: form-data; name="tags"\r\n\r\n1\r\n--X--', 422)):
    answer = call("POST", "/api/v1/files/upload", USER, data=body, headers={"Content-Type": kind})
    equal(answer.status, wanted, f"{name} is refused")
for name in ("a/b.txt", "..", ".", "../../etc/passwd.txt", ".hidden", "", "x" * 256):
    equal(upload(USER, name, b"1").status, 422, f"the file name {name[:20]!r} is refused")

# --- error shapes ---
answer = call("GET", "/api/v1/tenants/none", token("*"), headers={"Accept": "application/problem+json"})
check(answer.status == 404 and answer.headers["Content-Type"] == "application/problem+json" and answer.json["title"] == "Not Found",
      "an error is a problem document when asked for", answer)
answer = call("POST", "/api/v1/file/upload/complete/", USER, form=[("upload_id", "x")])
check(answer.status == 422 and answer.json["success"] is False and "[body->total_chunks] Field required" in answer.json["errors"],
      "below /api/v1/file/ an error is an envelope", answer)
answer = call("GET", "/api/v1/file/get/fs_0000000000000000000000", USER)
check(answer.status == 404 and answer.json["errors"] == [] and answer.json["message"], "and one that is no validation has its text in message", answer)
answer = call("PATCH", "/api/v1/tenants", USER, body={})
check(answer.status == 405 and "POST" in answer.headers["Allow"], "a wrong method is 405 with Allow", answer)

# --- origins ---
answer = call("GET", "/livez", headers={"Origin": "https://app.example.org"})
equal(answer.headers["Access-Control-Allow-Origin"], "https://app.example.org", "a listed origin may read")
for origin in ("https://app.example.org.evil.org", "https://evil.org", "null", "http://app.example.org", "https://APP.example.org"):
    answer = call("GET", "/livez", headers={"Origin": origin})
    check("Access-Control-Allow-Origin" not in answer.headers, f"{origin} may not", answer.headers)
answer = call("OPTIONS", "/api/v1/files/upload", headers={"Origin": "https://app.example.org", "Access-Control-Request-Method": "POST"})
check(answer.status == 204 and "POST" in answer.headers["Access-Control-Allow-Methods"] and "Access-Control-Allow-Credentials" not in answer.headers,
      "a preflight is answered, without credentials", answer.headers)

finish()
