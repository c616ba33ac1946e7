"""A process that serves and sends numbered rows in every way that collectors take them, to be stopped by a signal.

    python -P stopped_peer.py TCP_PORT_OF_A_LISTENER UDP_PORT_OF_A_LISTENER

prints the ports of its TCP, WebSocket and HTTP servers, and then does so until it is killed.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator

from websockets.asyncio.server import ServerConnection, serve

EVERY_SECONDS = 0.05
LOOPBACK = "127.0.0.1"


async def rows(target: str, numbers: Iterator[int] | None = None) -> AsyncIterator[bytes]:
    """Requests whose duration is their number."""
    for number in numbers or itertools.count():
        row = {"time": time.time(), "target": target, "status_code": 200, "duration_seconds": number}
        yield json.dumps(row).encode() + b"\n"
        await asyncio.sleep(EVERY_SECONDS)


async def write_rows(writer: asyncio.StreamWriter, target: str, numbers: Iterator[int] | None = None) -> None:
    """Write rows for ever."""
    async for row in rows(target, numbers):
        writer.write(row)
        await writer.drain()


async def send_messages(connection: ServerConnection) -> None:
    """A message a row."""
    async for row in rows("websocket"):
        await connection.send(row.decode())


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """HTTP that always is well."""
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()


async def send_lines(port: int) -> None:
    """Lines to a listener."""
    _, writer = await asyncio.open_connection(LOOPBACK, port)
    await write_rows(writer, "sender")


async def send_datagrams(port: int) -> None:
    """A datagram a row."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(LOOPBACK, port))
    async for row in rows("datagrams"):
        transport.sendto(row)


async def main(tcp_port: int, udp_port: int) -> None:
    """Serve and send until killed."""
    numbers = itertools.count()  # over all connections, so that a lost row is a gap
    tcp = await asyncio.start_server(lambda _reader, writer: write_rows(writer, "tcp", numbers), LOOPBACK, 0)
    websocket, http = await serve(send_messages, LOOPBACK, 0), await asyncio.start_server(answer, LOOPBACK, 0)
    print(*(server.sockets[0].getsockname()[1] for server in (tcp, websocket, http)), flush=True)
    await asyncio.gather(send_lines(tcp_port), send_datagrams(udp_port))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
