"""Runs the service and its script until it is stopped."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable

from aiops_nb.core.clock import SystemClock
from aiops_nb.core.labels import LabelLine, rfc3339, write_label_lines
from aiops_nb.demo.effects import EFFECTS
from aiops_nb.demo.labels import Label
from aiops_nb.demo.script import DemoParams, Fault, faults
from aiops_nb.demo.site import Site


async def run(params: DemoParams, stop: asyncio.Event, announce: Callable[[Site], None]) -> None:
    """Serve until `stop` is set; `announce` is called when it listens.

    A fault that `stop` cuts short is labelled like any other.
    """
    site = Site(params)
    await site.start_listening()
    announce(site)
    script = asyncio.create_task(_play(site, params))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((script, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        script.cancel()
        await asyncio.gather(script, return_exceptions=True)
        await site.close()
    if not script.cancelled():
        script.result()


async def _play(site: Site, params: DemoParams) -> None:
    for fault in faults(params):
        await asyncio.sleep(fault.healthy_seconds)
        await _suffer(site, fault, params)
    await asyncio.Event().wait()


async def _suffer(site: Site, fault: Fault, params: DemoParams) -> None:
    clock = SystemClock()
    start_ns = clock.now_ns()
    try:
        async with EFFECTS[fault.kind](site, fault, params):
            await asyncio.sleep(fault.duration_seconds)
    finally:
        label = _label(site, fault, start_ns, clock.now_ns())
        site.labels.append(label)
        if params.labels_path:
            write_label_lines(params.labels_path, [LabelLine(**label)], append=True)


def _label(site: Site, fault: Fault, start_ns: int, end_ns: int) -> Label:
    return {"kind": fault.kind, "target": _sufferer(site, fault), "start": rfc3339(start_ns), "end": rfc3339(end_ns)}


def _sufferer(site: Site, fault: Fault) -> str:
    if fault.kind == "memory_growth":
        return platform.node() or "localhost"  # as the host's own metrics name it
    whole_service = fault.kind in ("connection_refused", "traffic_flood")  # all endpoints share the workers
    return site.url if whole_service else site.url + fault.path
