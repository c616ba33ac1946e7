"""The static picture next to a live dashboard: what a reader of the saved notebook sees without a kernel."""

from __future__ import annotations

import time
import uuid
from typing import Any

from aiops_nb.view.data.store import ViewStore
from aiops_nb.view.still.page import picture_html

FIRST_SECONDS, EVERY_SECONDS = 5.0, 60.0


class Twin:
    """An output of its own, replaced now and then; pages that show the live dashboard hide it.

    JupyterLab writes an output into the notebook as it is when the notebook is saved. A widget is written as a
    reference that no page without its kernel can draw; nbconvert and GitHub show this output instead.
    """

    def __init__(self) -> None:
        self._id = uuid.uuid4().hex
        self._due_seconds = time.monotonic() + FIRST_SECONDS
        self._ran = True

    def show(self, store: ViewStore) -> None:
        """Display it below the live dashboard, in the cell that runs now."""
        self._publish(store, update=False)

    def update(self, store: ViewStore, running: bool) -> None:
        """Replace it once a minute, and when the monitor stops."""
        stopped = self._ran and not running
        self._ran = running
        if stopped or time.monotonic() >= self._due_seconds:
            self._publish(store, update=True)

    def close(self, store: ViewStore) -> None:
        """Replace it for the last time."""
        self._publish(store, update=True)

    def _publish(self, store: ViewStore, *, update: bool) -> None:
        from IPython.core.getipython import get_ipython

        shell: Any = get_ipython()
        if update:
            self._due_seconds = time.monotonic() + EVERY_SECONDS
        if shell is not None:
            data = {"text/html": picture_html(store, twin=True), "text/plain": "a picture of the dashboard"}
            shell.display_pub.publish(data, {}, transient={"display_id": self._id}, update=update)
