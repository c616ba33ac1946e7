"""Prints the benchmark tables: medians, and ratios against a peer in the same run.

python -m benchmarks            all of these
python -m benchmarks engine     one of them
"""

from __future__ import annotations

import sys
from importlib import import_module

TITLES = {
    "engine": "From JSON bytes to alerts",
    "live_latency": "From a row to its alert in a live monitor, under a busy cell",
    "tick": "Cost of a tick",
    "detector_cost": "Cost of each detector",
    "memory": "Memory of a monitor at a low rate",
    "replay": "Replay from disk",
    "replay_day": "Replay of an hour of 100 targets at 1 Hz",
    "wording": "Reasons of a storm in words",
    "clients": "What looking at clients costs",
    "import_time": "Import",
    "probe": "Probes of 1,000 targets, next to requests with threads",
    "sockets": "JSON lines over TCP and UDP",
    "access_log": "Access logs",
    "hostile": "A million hostile lines at each source",
    "hostile_recording": "Every bit of a recording flipped",
    "synthetic": "Synthetic stream",
    "notify_kill": "Notifications over kill -9, next to Alertmanager",
    "notify_speed": "How soon notifications arrive, and what they cost",
    "alertmanager_oracle": "Random sequences of alerts, next to Alertmanager",
    "templates": "Templates of log lines (needs logs with known templates, see its help)",
    "rules": "All default rules on labelled faults and on healthy traffic",
}


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    for name in names or TITLES:
        if name not in TITLES:
            sys.exit(f"benchmarks: expected one of {', '.join(TITLES)}, got {name!r}")
        print(f"\n## {TITLES[name]}\n", flush=True)
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
