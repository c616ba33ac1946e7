"""Makes `data/demo`: the demo service, watched for two rounds of its faults, with its labels beside the rows.

python data/make_demo_recording.py --out data/demo --minutes 13.5
"""

from __future__ import annotations

import argparse
import shutil
import threading
from pathlib import Path

from aiops_nb import open_recording, watch
from aiops_nb.demo import start_demo_service


def main() -> None:
    """Record in real time; a recording that is there is replaced."""
    parser = argparse.ArgumentParser(description="Records the demo service and its labels.")
    parser.add_argument("--out", type=Path, default=Path("data/demo"))
    parser.add_argument("--minutes", type=float, default=13.5)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.out.exists():
        shutil.rmtree(arguments.out)
    labels = arguments.out / "labels.jsonl"
    service = start_demo_service(seed=arguments.seed, port=arguments.port, labels_path=labels)
    with service, watch(service.urls, record=arguments.out):
        threading.Event().wait(arguments.minutes * 60)
    recording = open_recording(arguments.out)
    print(recording, recording.labels().to_string(), sep="\n")


if __name__ == "__main__":
    main()
