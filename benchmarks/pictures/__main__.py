"""Draw the pictures of the rules' pages.

python -m benchmarks.pictures [NAME ...]
"""

from __future__ import annotations

import sys

from benchmarks.pictures import clients, endpoints_and_objectives, host, requests, sources
from benchmarks.pictures.scene import FOLDER, draw

SCENES = (*requests.SCENES, *endpoints_and_objectives.SCENES, *host.SCENES, *clients.SCENES, *sources.SCENES)


def main() -> None:
    """Draw those named, or all; print what each rule said."""
    asked = sys.argv[1:]
    for scene in SCENES:
        if not asked or scene.name in asked:
            changes = draw(scene)
            size = (FOLDER / f"{scene.name}.svg").stat().st_size
            reported = next((change.summary for change in changes if change.state == "firing"), "no alert")
            print(f"{scene.name}.svg  {size / 1000:.1f} kB  {reported}", flush=True)


if __name__ == "__main__":
    main()
