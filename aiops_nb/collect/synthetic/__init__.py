"""Synthetic requests and host samples with faults of which the truth is known."""

from __future__ import annotations

from aiops_nb.collect.synthetic.drawn import Drawn, draw
from aiops_nb.collect.synthetic.faults import KINDS, Fault, FaultKind, FaultLabel, labels_frame
from aiops_nb.collect.synthetic.shape import FLAT, Shape
from aiops_nb.collect.synthetic.stream import SyntheticStream

__all__ = [
    "FLAT",
    "KINDS",
    "Drawn",
    "Fault",
    "FaultKind",
    "FaultLabel",
    "Shape",
    "SyntheticStream",
    "draw",
    "labels_frame",
]
