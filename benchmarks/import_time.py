"""Seconds of `import aiops_nb` in a fresh interpreter, next to an empty one and `import pandas`.

python -m benchmarks.import_time
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 5
STATEMENTS = {"nothing": "pass", "import aiops_nb": "import aiops_nb", "import pandas": "import pandas"}


def seconds_of(statement: str) -> float:
    """Wall time of one interpreter."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    print("| statement | median seconds, whole process |")
    print("|:--|--:|")
    for name, statement in STATEMENTS.items():
        print(f"| {name} | {statistics.median(seconds_of(statement) for _ in range(ROUNDS)):.2f} |")


if __name__ == "__main__":
    main()
