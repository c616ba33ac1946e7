"""A report's page as PDF, printed by an installed Chromium with no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from aiops_nb.core.errors import AiopsError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome")
TIMEOUT_SECONDS = 120.0
DRAWING_MS = 20_000  # virtual time in which the charts are drawn
OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pdf-header-footer",
    "--window-size=1047,1400",  # as wide as the paper, so that the charts are
    "--proxy-server=127.0.0.1:9",  # nothing answers there: the page needs no network
    f"--virtual-time-budget={DRAWING_MS}",
)


def find_browser() -> str:
    """The program that prints.

    Raises
    ------
    AiopsError
        If none is installed.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise AiopsError(
            f"pdf: expected an installed browser ({', '.join(BROWSERS)}), found none; the HTML page is made"
        )
    return found


def print_pdf(html: Path) -> Path:
    """Print a page next to it; the file is there when it is complete.

    Parameters
    ----------
    html
        As `run_report` made it.

    Raises
    ------
    AiopsError
        If no browser is installed, or it fails.
    """
    browser, pdf = find_browser(), html.with_suffix(".pdf")
    with TemporaryDirectory(prefix="aiops-nb-") as profile:
        unfinished = Path(profile) / "report.pdf"
        # A container runs as root, where Chromium's sandbox cannot start; the page's policy allows our scripts alone.
        sandbox = ["--no-sandbox"] if sys.platform != "win32" and os.geteuid() == 0 else []
        command = [browser, *OPTIONS, *sandbox, f"--user-data-dir={profile}", f"--print-to-pdf={unfinished}"]
        try:
            done = subprocess.run(
                [*command, html.resolve().as_uri()], capture_output=True, text=True, timeout=TIMEOUT_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise AiopsError(f"pdf: {browser}: {getattr(problem, 'strerror', None) or 'took too long'}") from None
        if not unfinished.exists():
            last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise AiopsError(f"pdf: {browser}: {last}")
        partial = pdf.with_name(f".{pdf.name}.unfinished")
        shutil.copyfile(unfinished, partial)
        return partial.replace(pdf)
