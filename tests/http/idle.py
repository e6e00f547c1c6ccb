import resource
import socket
import sys
import time

from support import *

COUNT = 10000
PID = sys.argv[1].split()[0]


def resident_kb():
    with open(f"/proc/{PID}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
wanted = COUNT + 200
if hard < wanted:
    check(True, f"ten thousand connections # SKIP only {hard} descriptors")
    finish()
resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

before = resident_kb()
connections = []
for number in range(COUNT):
    connection = socket.socket()
    connection.bind((f"127.0.1.{1 + number // 3000}", 0))
    connection.settimeout(10)
    connection.connect((HOST, PORT))
    connections.append(connection)
check(len(connections) == COUNT, "ten thousand connections are taken")
start = time.monotonic()
answer = call("GET", "/livez", fresh=True)
check(answer.status == 200 and time.monotonic() - start < 1, "and one more is answered at once", f"{answer} after {time.monotonic() - start:.3f} s")
used = resident_kb() - before
check(used < 60000, f"they take little memory ({used // 1024} MB)", used)
for connection in connections[::100]:
    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
got = [connection.recv(1000) for connection in connections[::100]]
check(all(piece.startswith(b"HTTP/1.1 200") for piece in got), "those that speak at last are answered")
for connection in connections:
    connection.close()
check(wait_for(lambda: b"tenantfs_http_connections 1\n" in call("GET", "/metrics").body or
               b"tenantfs_http_connections 2\n" in call("GET", "/metrics").body), "and all are forgotten when they go")
finish()
