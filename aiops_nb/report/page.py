"""An executed notebook as one HTML page that loads nothing from the network and runs only our own scripts."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from bokeh.core.types import ID
from bokeh.embed import json_item
from bokeh.layouts import column
from bokeh.model import Model
from bokeh.resources import Resources
from markupsafe import Markup

from aiops_nb.report.html import Html, paragraph_html, render

NOTEBOOK_ONLY_TAG = "notebook-only"
NO_DATA = "No data for this chart."
_PROGRESS = re.compile(r"(?:\r[^\r\n]*: (?:\d+ ?%|done)\s*)+")
HINT = "Charts need JavaScript: open the HTML report, or trust this notebook (command palette, Trust Notebook)."
_FOLDER = Path(__file__).parent
_STARTER = (_FOLDER / "charts.js").read_text(encoding="utf-8")


def notebook_page(notebook: Path, title: str) -> str:
    """The prose and the outputs of a notebook, without the code, under a strict Content-Security-Policy.

    Only scripts with the hash of BokehJS or of our starter run: a recorded name that reached the page as markup, by a
    fault of ours, would not.

    Parameters
    ----------
    notebook
        An executed notebook.
    title
        What the browser's tab shows.
    """
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    config = Config({"TagRemovePreprocessor": {"enabled": True, "remove_cell_tags": [NOTEBOOK_ONLY_TAG]}})
    make: Callable[..., Any] = HTMLExporter
    exporter = make(config=config, template_name="basic", exclude_input=True, exclude_output_prompt=True)
    body, _ = exporter.from_notebook_node(_without_progress(notebook))
    css = (_FOLDER / "page.css").read_text(encoding="utf-8")
    # nbconvert escaped the body; the stylesheet is a file of ours.
    return render("page", policy=_policy(), title=title, css=Markup(css), body=Markup(body))


def _without_progress(notebook: Path) -> Any:
    """The notebook without what progress bars wrote; a page is read when all is done."""
    import nbformat

    read: Callable[..., Any] = nbformat.read
    document = read(notebook, as_version=4)
    for cell in document.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _PROGRESS.fullmatch(output.get("text", ""))]
    return document


def _policy() -> str:
    """Nothing from anywhere, and no script but those two.

    Styles are inline: BokehJS sets them on its elements.
    """
    scripts = " ".join(f"'sha256-{_sha256(script)}'" for script in (_bokeh_js(), _STARTER))
    rules = ("default-src 'none'", f"script-src {scripts}", "style-src 'unsafe-inline'", "img-src data: blob:")
    return "; ".join((*rules, "font-src data:", "base-uri 'none'", "form-action 'none'"))


def _sha256(script: str) -> str:
    return b64encode(hashlib.sha256(script.encode()).digest()).decode()


@lru_cache(maxsize=1)
def _bokeh_js() -> str:
    """BokehJS without the parts that plain charts do not need."""
    return "\n".join(Resources(mode="inline", components=["bokeh"], log_level="error").js_raw)


def load_charts() -> Html:
    """BokehJS itself; once per page, before the first chart."""
    return Html(f"<script>{_bokeh_js()}</script>")


def chart_html(*charts: Model) -> Html:
    """Charts below each other; `load_charts` must have been shown in the same page.

    The charts are data (JSON). The script that draws them is always the same, so a page can allow it by its hash.
    """
    if not charts:
        return paragraph_html(NO_DATA, css="aiops-none")
    target = f"aiops-{uuid4()}"
    # In one document: what the charts share, such as a range, belongs to all of them.
    item = json_item(column(*charts, sizing_mode="stretch_width"), ID(target))
    data = json.dumps(item).replace("<", "\\u003c")  # no text can end the element
    return Html(render("charts", target=target, hint=HINT, data=Markup(data), starter=Markup(_STARTER)))
