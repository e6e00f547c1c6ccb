import os
import socket
import threading
import time

from support import *

USER = token()
results = {}


def seconds_until_cut(name, first, piece, pause, limit=40):
    """Sends first, then piece every so often; how long until the server closes."""
    start = time.monotonic()
    with socket.create_connection((HOST, PORT), timeout=0.1) as connection:
        connection.sendall(first)
        while time.monotonic() - start < limit:
            try:
                if connection.recv(65536) == b"":
                    break
            except TimeoutError:
                pass
            except ConnectionError:
                break
            try:
                connection.sendall(piece)
            except (ConnectionError, TimeoutError):
                break
            time.sleep(pause)
    results[name] = time.monotonic() - start


def read_slowly(name):
    """Asks for a large file and reads a few bytes a second."""
    start = time.monotonic()
    with socket.create_connection((HOST, PORT), timeout=1) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(f"GET /api/v1/files/{large}/download HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {USER}\r\n\r\n".encode())
        while time.monotonic() - start < 60:
            try:
                if connection.recv(50) == b"":
                    break
            except TimeoutError:
                pass
            except ConnectionError:
                break
            # What is on the way already is still delivered; the state of the connection tells of the end.
            if connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in (7, 8):
                break
            time.sleep(0.5)
    results[name] = time.monotonic() - start


answer = upload(USER, "large.txt", b"0123456789abcdef" * (1 << 20))
equal(answer.status, 201, "a large file is stored")
large = answer.json["id"]
head = (f"POST /api/v1/files/upload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {USER}\r\nContent-Length: 10000000\r\n"
        "Content-Type: multipart/form-data; boundary=X\r\n\r\n"
        '--X\r\nContent-Disposition: form-data; name="file"; filename="slow.txt"\r\n\r\n').encode()
threads = [
    threading.Thread(target=seconds_until_cut, args=("headers", b"GET /livez HTTP/1.1\r\nHost: a\r\n", b"X-A: b\r\n", 0.5)),
    threading.Thread(target=seconds_until_cut, args=("request line", b"GET ", b"/", 0.5)),
    threading.Thread(target=seconds_until_cut, args=("silence", b"", b"", 0.5)),
    threading.Thread(target=seconds_until_cut, args=("body", head + b"x" * 100000, b"x", 0.5)),
    threading.Thread(target=read_slowly, args=("answer",)),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for name, low, high in (("headers", 1, 6), ("request line", 3, 9), ("silence", 3, 9), ("body", 8, 30), ("answer", 8, 45)):
    check(low <= results[name] <= high, f"slow {name}: cut off after {results[name]:.1f} s", f"wanted {low} to {high}")

# A sender that is slow but not too slow is heard to the end.
with socket.create_connection((HOST, PORT), timeout=20) as connection:
    content = b"y" * 60000
    body = (b'--X\r\nContent-Disposition: form-data; name="file"; filename="patient.txt"\r\n\r\n' + content + b"\r\n--X--\r\n")
    connection.sendall(f"POST /api/v1/files/upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {USER}\r\n"
                       f"Content-Length: {len(body)}\r\nContent-Type: multipart/form-data; boundary=X\r\n\r\n".encode())
    for at in range(0, len(body), 5000):
        connection.sendall(body[at:at + 5000])
        time.sleep(1)
    got = connection.recv(65536)
equal(raw_status(got), 201, "one that sends 5 KB a second is heard to the end")

# A sender that hangs up in the middle.
with socket.create_connection((HOST, PORT), timeout=5) as connection:
    connection.sendall(head + b"x" * 300000)
    time.sleep(0.3)
names = lambda: [name for name in os.listdir(f"{MOUNT}/acme/current") if name.startswith(".upload") or "slow" in name]
check(wait_for(lambda: names() == [], 5) or names() == [], "what was cut off or given up leaves nothing behind", names())
finish()
