"""The faults, each as a context: it begins, the script waits, it ends and everything is as before."""

from __future__ import annotations

import asyncio
import http.client
import mmap
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from urllib.parse import urlsplit

from aiops_nb.demo.script import DemoParams, Fault, FaultKind
from aiops_nb.demo.site import Site

SLOW_FACTOR = 8.0
ERROR_RATIO = 0.9
FLOOD_CLIENTS_PER_WORKER = 3
MEMORY_STEPS = 40
CLIENT_TIMEOUT_SECONDS = 10.0


@asynccontextmanager
async def slow(site: Site, fault: Fault, params: DemoParams) -> AsyncIterator[None]:
    """One endpoint answers several times slower."""
    with _held(site.slow_factor, fault.path, SLOW_FACTOR):
        yield


@asynccontextmanager
async def http_5xx(site: Site, fault: Fault, params: DemoParams) -> AsyncIterator[None]:
    """One endpoint answers most requests by a 5xx."""
    with _held(site.error_ratio, fault.path, ERROR_RATIO):
        yield


@contextmanager
def _held(by_path: dict[str, float], path: str, value: float) -> Iterator[None]:
    by_path[path] = value
    try:
        yield
    finally:
        del by_path[path]


@asynccontextmanager
async def connection_refused(site: Site, fault: Fault, params: DemoParams) -> AsyncIterator[None]:
    """The listening socket is closed."""
    await site.stop_listening()
    try:
        yield
    finally:
        await site.start_listening()


@asynccontextmanager
async def traffic_flood(site: Site, fault: Fault, params: DemoParams) -> AsyncIterator[None]:
    """More clients than workers ask one endpoint as fast as they are answered."""
    over = threading.Event()
    clients = [
        threading.Thread(target=_ask_until, args=(site.url, fault.path, over), name=f"flood-{i}", daemon=True)
        for i in range(params.workers * FLOOD_CLIENTS_PER_WORKER)
    ]
    for client in clients:
        client.start()
    try:
        yield
    finally:
        over.set()
        for client in clients:
            await asyncio.to_thread(client.join)


def _ask_until(url: str, path: str, over: threading.Event) -> None:
    while not over.is_set():
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=CLIENT_TIMEOUT_SECONDS)
        with suppress(OSError, http.client.HTTPException):
            while not over.is_set():
                connection.request("GET", path, headers={"User-Agent": "flood"})
                connection.getresponse().read()
        connection.close()


@asynccontextmanager
async def memory_growth(site: Site, fault: Fault, params: DemoParams) -> AsyncIterator[None]:
    """Memory is taken and kept, up to a bound, and given back at the end."""
    growing = asyncio.create_task(_grow(site, params.memory_limit_bytes, fault.duration_seconds))
    try:
        yield
    finally:
        growing.cancel()
        site.held.clear()


async def _grow(site: Site, limit_bytes: int, duration_seconds: float) -> None:
    size = limit_bytes // MEMORY_STEPS
    for _ in range(MEMORY_STEPS):
        block = mmap.mmap(-1, size)  # unlike the heap's, its pages go back to the system when it is dropped
        block.write(b"\x5a" * size)
        site.held.append(memoryview(block))
        await asyncio.sleep(duration_seconds / MEMORY_STEPS)


Effect = Callable[[Site, Fault, DemoParams], AbstractAsyncContextManager[None]]
EFFECTS: Mapping[FaultKind, Effect] = {
    "slow": slow,
    "http_5xx": http_5xx,
    "connection_refused": connection_refused,
    "traffic_flood": traffic_flood,
    "memory_growth": memory_growth,
}
