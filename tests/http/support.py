"""A client for the tests of the HTTP server: requests, tokens, checks, and a record of every answer for openapi.py."""

import atexit
import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import sys
import time
import urllib.parse
import uuid

URL = urllib.parse.urlsplit(os.environ["TENANTFS_URL"])
HOST, PORT = URL.hostname, URL.port
SECRET = os.environ["SECRET_KEY"].encode()
MOUNT = os.environ.get("TENANTFS_MOUNT", "")
failed = 0


def check(is_good, name, seen=None):
    """One check of the test. Returns whether it held."""
    global failed
    name = name.replace("\n", " ")
    if is_good:
        print(f"ok {name}")
    else:
        failed += 1
        print(f"not ok {name}")
        if seen is not None:
            for line in str(seen)[:1500].splitlines():
                print(f"# {line}")
    return is_good


def equal(got, wanted, name):
    return check(got == wanted, name, f"got {got!r}, wanted {wanted!r}")


def encode(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def sign(header, claims, secret=SECRET):
    text = encode(json.dumps(header).encode()) + "." + encode(json.dumps(claims).encode())
    return text + "." + encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())


def token(tenant="acme", role="user", sub="alice", ttl=3600, **more):
    claims = {"sub": sub, "exp": int(time.time()) + ttl, **more}
    if tenant is not None:
        claims["tenant"] = tenant
    if role is not None:
        claims["role"] = role
    return sign({"alg": "HS256", "typ": "JWT"}, claims)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


def multipart(fields):
    """Fields as (name, value) or (name, (file name, bytes[, type])). Returns the body and its Content-Type."""
    boundary = "boundary-" + uuid.uuid4().hex
    parts = []
    for name, value in fields:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        if isinstance(value, tuple):
            file_name = value[0] if isinstance(value[0], bytes) else value[0].encode()
            head += b'; filename="' + file_name.replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A") + b'"'
            head += b"\r\nContent-Type: " + (value[2] if len(value) > 2 else "application/octet-stream").encode()
            content = value[1]
        else:
            content = value.encode() if isinstance(value, str) else value
        parts.append(head + b"\r\n\r\n" + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def record(method, path, answer):
    name = os.environ.get("OPENAPI_ANSWERS")
    if not name:
        return
    line = {"method": method, "path": path.split("?")[0], "status": answer.status, "type": answer.headers.get("Content-Type", ""),
            "body": answer.body.decode("utf-8", "replace") if "json" in answer.headers.get("Content-Type", "") else None}
    with open(name, "a", encoding="utf-8") as answers:
        answers.write(json.dumps(line) + "\n")


kept = None


def call(method, path, auth=None, body=None, form=None, data=None, headers=None, timeout=60, fresh=False):
    """auth: a token. body: JSON. form: fields of a form. data: raw bytes."""
    global kept
    sent = dict(headers or {})
    if auth:
        sent["Authorization"] = "Bearer " + auth
    if body is not None:
        data = json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    if form is not None:
        data, kind = multipart(form)
        sent.setdefault("Content-Type", kind)
    for attempt in (1, 2):
        connection = kept or http.client.HTTPConnection(HOST, PORT, timeout=timeout)
        kept = None
        try:
            connection.request(method, path, data, sent)
            got = connection.getresponse()
            answer = Answer(got.status, got.headers, got.read())
            break
        except (http.client.RemoteDisconnected, ConnectionError):
            connection.close()
            if attempt == 2:
                raise
    if got.will_close or fresh:
        connection.close()
    else:
        kept = connection
    record(sent.get("X-HTTP-Method-Override", method), path, answer)
    return answer


@atexit.register
def close():
    if kept:
        kept.close()


def upload(auth, name, content, **fields):
    form = [(key, value) for key, value in fields.items()] + [("file", (name, content))]
    return call("POST", "/api/v1/files/upload", auth, form=form)


def raw(text, timeout=10, close_writing=False):
    """Sends bytes as they are; everything that comes back until the server closes or is silent."""
    with socket.create_connection((HOST, PORT), timeout=timeout) as connection:
        connection.sendall(text if isinstance(text, bytes) else text.encode())
        if close_writing:
            connection.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while piece := connection.recv(65536):
                got += piece
        except (TimeoutError, ConnectionError):
            pass
        return got


def raw_status(got):
    return int(got.split(b" ", 2)[1]) if got.startswith(b"HTTP/") else 0


def wait_for(condition, seconds=20, pause=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    return condition()


def finish():
    """At the end of a test: every answer it got must be what /openapi.json promises."""
    import openapi
    openapi.check_answers(call("GET", "/openapi.json").json, os.environ.get("OPENAPI_ANSWERS"), check)
    sys.exit(1 if failed else 0)
