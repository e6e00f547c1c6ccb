import socket

from support import *


def open_from(address):
    connection = socket.socket()
    connection.bind((address, 0))
    connection.settimeout(3)
    connection.connect((HOST, PORT))
    return connection


def is_answered(connection):
    try:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        return connection.recv(1000).startswith(b"HTTP/1.1 200")
    except (ConnectionError, TimeoutError):
        return False


connections = [open_from("127.0.1.9") for _ in range(30)]
answered = sum(is_answered(connection) for connection in connections)
check(answered == 20, "an address has no more connections than it may", f"{answered} of 30 answered, 20 may be")
other = open_from("127.0.1.10")
check(is_answered(other), "another address has its own")
for connection in connections + [other]:
    connection.close()
finish()
