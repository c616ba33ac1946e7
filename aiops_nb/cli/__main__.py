"""`python -m aiops_nb.cli`: the same as `aiops-nb`."""

from __future__ import annotations

import sys

from aiops_nb.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
