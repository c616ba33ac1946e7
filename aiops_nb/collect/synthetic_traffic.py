"""Where faults were first: `Fault` and `FaultLabel` are in `aiops_nb.collect.synthetic`."""

from aiops_nb.collect.synthetic import Fault, FaultLabel

__all__ = ["Fault", "FaultLabel"]
