"""Each fault is real while it lasts, and leaves nothing behind."""

import asyncio
import contextlib
import http.client
import socket
import statistics
import time
from urllib.parse import urlsplit

import pytest

from aiops_nb.demo.effects import EFFECTS
from aiops_nb.demo.script import KINDS, PATHS, DemoParams, Fault
from aiops_nb.demo.site import Site


def ask(url, path):
    """One request on a connection of its own: status, seconds."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    began = time.perf_counter()
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status, time.perf_counter() - began
    finally:
        connection.close()


async def ask_many(url, path, count=12):
    return await asyncio.gather(*(asyncio.to_thread(ask, url, path) for _ in range(count)))


@contextlib.asynccontextmanager
async def serving(**params):
    site = Site(DemoParams(**params))
    await site.start_listening()
    try:
        yield site
    finally:
        await site.close()


async def compare(kind, look, *, path="/checkout", duration_seconds=1.0, **params):
    """What `look(site)` sees before, while and after the fault lasts."""
    fault = Fault(kind=kind, path=path, healthy_seconds=0.0, duration_seconds=duration_seconds)
    async with serving(**params) as site:
        before = await look(site)
        async with EFFECTS[kind](site, fault, DemoParams(**params)):
            during = await look(site)
        return before, during, await look(site)


def test_every_kind_has_an_effect():
    assert tuple(EFFECTS) == KINDS


def test_a_healthy_service_answers_200_everywhere():
    async def statuses():
        async with serving() as site:
            return [(await ask_many(site.url, path, 1))[0][0] for path in (*PATHS, "/", "/metrics", "/labels", "/none")]

    assert asyncio.run(statuses()) == [200] * 7 + [404]


def test_a_slow_endpoint_is_slower_and_the_others_are_not():
    async def medians(site):
        answers = [await ask_many(site.url, path) for path in ("/checkout", "/api/users")]
        return [statistics.median(seconds for _, seconds in some) for some in answers]

    before, during, after = asyncio.run(compare("slow", medians))
    assert during[0] > 3 * before[0]
    assert during[1] < during[0] / 3
    assert after[0] < during[0] / 3


def test_a_burst_of_5xx_hits_one_endpoint():
    async def share_of_5xx(site):
        both = [await ask_many(site.url, path, 40) for path in ("/checkout", "/health")]
        return [sum(status >= 500 for status, _ in some) / len(some) for some in both]

    before, during, after = asyncio.run(compare("http_5xx", share_of_5xx))
    assert before == after == [0, 0]
    assert during[0] > 0.6
    assert during[1] == 0


def test_refused_connections_are_refused_and_the_same_port_opens_again():
    async def outcome(site):
        try:
            await asyncio.to_thread(socket.create_connection, ("127.0.0.1", site.port), 5)
        except ConnectionRefusedError:
            return site.port, "refused"
        return (site.port, *(await ask_many(site.url, "/health", 1))[0][:1])

    before, during, after = asyncio.run(compare("connection_refused", outcome, path=""))
    assert (before[1], during[1], after[1]) == (200, "refused", 200)
    assert before[0] == during[0] == after[0]


def test_a_kept_connection_does_not_survive_the_outage():
    async def ends():
        fault = Fault(kind="connection_refused", path="", healthy_seconds=0.0, duration_seconds=1.0)
        async with serving() as site:
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(b"GET /health HTTP/1.1\r\n\r\n")
            first = await reader.readline()
            async with EFFECTS["connection_refused"](site, fault, DemoParams()):
                with contextlib.suppress(ConnectionResetError):
                    await reader.read()
            writer.close()
            return first

    assert asyncio.run(ends()).startswith(b"HTTP/1.1 200")


def test_a_flood_shows_in_the_counters_and_makes_others_wait():
    async def look(site):
        answers = await ask_many(site.url, "/api/users", 10)
        return site.counters()["requests_total"].get("/checkout", 0), statistics.median(s for _, s in answers)

    before, during, after = asyncio.run(compare("traffic_flood", look, workers=4))
    assert before[0] == 0
    assert during[0] > 0
    assert during[1] > 1.5 * before[1]
    assert after[0] >= during[0]


def test_memory_grows_to_its_bound_and_is_given_back():
    async def look(site):
        held = site.counters()["held_bytes"]
        while site.held and held < 20_000_000:
            await asyncio.sleep(0)
            held = site.counters()["held_bytes"]
        return held

    async def held():
        fault = Fault(kind="memory_growth", path="", healthy_seconds=0.0, duration_seconds=0.1)
        params = DemoParams(memory_limit_bytes=20_000_000)
        async with serving() as site:
            async with EFFECTS["memory_growth"](site, fault, params):
                await asyncio.sleep(0)
                during = await look(site)
            return during, await look(site)

    assert asyncio.run(held()) == (20_000_000, 0)


@pytest.mark.parametrize("line", [b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"])
def test_what_is_not_http_gets_400(line):
    async def answer():
        async with serving() as site:
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(line)
            reply = await reader.read()
            writer.close()
            return reply

    assert asyncio.run(answer()).startswith(b"HTTP/1.1 400 ")


def test_the_access_log_has_one_combined_line_a_request(tmp_path):
    async def serve(path):
        async with serving(access_log_path=str(path)) as site:
            await ask_many(site.url, "/health", 3)

    asyncio.run(serve(tmp_path / "access.log"))
    lines = (tmp_path / "access.log").read_text().splitlines()
    assert len(lines) == 3
    assert all(line.startswith("127.0.0.1 - - [") and '"GET /health HTTP/1.1" 200 ' in line for line in lines)
