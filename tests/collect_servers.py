"""Real servers on loopback for the collectors: bad manners, TLS, and httpbin in a process of its own."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import trustme

Handler = Callable[[socket.socket], None]

# httpbin 0.10.0 imports a name that Werkzeug 3 has moved; later releases pin a greenlet too old for playwright.
HTTPBIN = """
import waitress, werkzeug.http, werkzeug.datastructures
werkzeug.http.parse_authorization_header = werkzeug.datastructures.Authorization.from_header
from httpbin import app
server = waitress.create_server(app, host="127.0.0.1", port=0, threads=8)
print(server.effective_port, flush=True)
server.run()
"""


@contextmanager
def httpbin() -> Iterator[str]:
    """URL of an httpbin under waitress."""
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", HTTPBIN], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def raw_server(handler: Handler) -> Iterator[int]:
    """Port of a server that hands every connection to `handler`, each on its own thread."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threads.append(threading.Thread(target=answer, args=(connection,), daemon=True))
                threads[-1].start()

    def answer(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            handler(connection)

    accepting = threading.Thread(target=serve, daemon=True)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)


def tls_handler(certificate: trustme.LeafCert) -> Handler:
    """Answers `ok` over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    def handle(connection: socket.socket) -> None:
        with suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as secured:
            reply_ok(secured)

    return handle


def read_request(connection: socket.socket) -> bytes:
    """All of a request without body."""
    request = b""
    while b"\r\n\r\n" not in request:
        piece = connection.recv(65_536)
        if not piece:
            break
        request += piece
    return request


def reply_ok(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def reply_until_closed(connection: socket.socket) -> None:
    """Keep-alive: answers every request on the connection."""
    while read_request(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def hang(connection: socket.socket) -> None:
    """Reads, and never answers."""
    while connection.recv(65_536):
        pass


def reset(connection: socket.socket) -> None:
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def leave(connection: socket.socket) -> None:
    read_request(connection)


def _saying(text: bytes) -> Handler:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(text)

    return handle


def _endless(head: bytes, piece: bytes) -> Handler:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return handle


garbage = _saying(b"\x00\xff\xfe\x01not http at all\r\n\r\n")
ssh_banner = _saying(b"SSH-2.0-OpenSSH_9.6\r\n")
bad_chunk = _saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello")
short_body = _saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
endless_headers = _endless(b"HTTP/1.1 200 OK\r\n", b"X-Filler: " + b"a" * 1000 + b"\r\n")
endless_header = _endless(b"HTTP/1.1 200 OK\r\nX-Filler: ", b"a" * 65_536)
endless_body = _endless(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65_536)
