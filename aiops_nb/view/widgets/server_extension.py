"""A Jupyter server extension that serves the installed BokehJS, so that no page asks anybody else for it."""

from __future__ import annotations

import importlib.util
from importlib.metadata import version
from pathlib import Path
from typing import Any

BOKEH_FILES = ("bokeh.min.js", "bokeh-widgets.min.js", "bokeh-tables.min.js")
ONE_YEAR_SECONDS = 31_536_000


def bokeh_script(name: str) -> Path:
    """Path of one of `BOKEH_FILES`, found without importing bokeh.

    Examples
    --------
    >>> bokeh_script("bokeh.min.js").exists()
    True
    """
    spec = importlib.util.find_spec("bokeh")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("bokeh is not installed")
    return Path(spec.origin).parent / "server" / "static" / "js" / name


def bokeh_route(base_url: str) -> str:
    """URL pattern under which the scripts are served; the version is part of it, so a page may cache for ever.

    Examples
    --------
    >>> bokeh_route("/user/ann/").startswith("/user/ann/aiops_nb/bokeh/")
    True
    """
    names = "|".join(name.replace(".", r"\.") for name in BOKEH_FILES)
    number = version("bokeh").replace(".", r"\.")
    return rf"{base_url.rstrip('/')}/aiops_nb/bokeh/{number}/({names})"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "aiops_nb.view.widgets.server_extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    web = server.web_app
    web.add_handlers(".*$", [(bokeh_route(web.settings["base_url"]), _handler())])


def _handler() -> type:
    from jupyter_server.base.handlers import JupyterHandler
    from tornado.web import authenticated

    class BokehScript(JupyterHandler):
        """Serves one script."""

        @authenticated
        def get(self, name: str) -> None:
            self.set_header("Content-Type", "text/javascript; charset=utf-8")
            self.set_header("Cache-Control", f"private, max-age={ONE_YEAR_SECONDS}, immutable")
            self.finish(bokeh_script(name).read_bytes())

        head = get

    return BokehScript
