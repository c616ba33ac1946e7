"""Who displays a dashboard: a front end that runs widgets, or a batch job that only keeps outputs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

# jupyter_client, which nbconvert and papermill use, numbers its messages: <session>_<process>_<number>
_BATCH_MESSAGE = re.compile(r"_\d+_\d+$")
VIEW_VARIABLE = "AIOPS_NB_VIEW"


def shows_widgets(request: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the sender of an execute request can run widgets.

    Parameters
    ----------
    request
        The message of the running cell; empty where there is no kernel.
    environment
        `AIOPS_NB_VIEW=live` or `static` overrides the guess.

    Examples
    --------
    >>> shows_widgets({"header": {"msg_id": "0f3a-1b_4711_5"}}, {})
    False
    >>> shows_widgets({"header": {"msg_id": "7b6f4c1e-88ab"}}, {})
    True
    """
    choice = environment.get(VIEW_VARIABLE, "")
    if choice in ("live", "static"):
        return choice == "live"
    if environment.get("SERVER_SOFTWARE", "").startswith("voila"):
        return True
    message_id = str(request.get("header", {}).get("msg_id", ""))
    by_server = bool(request.get("metadata", {}).get("cellId"))  # JupyterLab's cells, run by its server
    return bool(message_id) and (by_server or not _BATCH_MESSAGE.search(message_id))
