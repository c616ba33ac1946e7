"""A demo service to monitor; its faults follow a seeded script and are written down as labels."""

from __future__ import annotations

from aiops_nb.demo.bundled import demo_recording
from aiops_nb.demo.process import DemoService, start_demo_service
from aiops_nb.demo.script import KINDS, DemoParams, Fault, faults

__all__ = ["KINDS", "DemoParams", "DemoService", "Fault", "demo_recording", "faults", "start_demo_service"]
