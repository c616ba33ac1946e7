"""An executed notebook as one HTML page that asks nothing of the network."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from bokeh.embed import components
from bokeh.model import Model
from bokeh.resources import Resources

from aiops_nb.report.html import Html

NOTEBOOK_ONLY_TAG = "notebook-only"


def notebook_page(notebook: Path) -> str:
    """The prose and the outputs, without the code: that is in the notebook beside it."""
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    config = Config({"TagRemovePreprocessor": {"enabled": True, "remove_cell_tags": [NOTEBOOK_ONLY_TAG]}})
    make: Callable[..., Any] = HTMLExporter
    exporter = make(config=config, template_name="basic", exclude_input=True, exclude_output_prompt=True)
    body, _ = exporter.from_filename(str(notebook))
    css = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(notebook.stem)}</title><style>{css}</style></head>\n<body><main>{body}</main></body></html>\n"
    )


def load_charts() -> Html:
    """BokehJS itself, without the parts that plain charts do not need; once per page."""
    return Html(Resources(mode="inline", components=["bokeh"], log_level="error").render_js())


def chart_html(*charts: Model) -> Html:
    """Charts below each other; `load_charts` must have been shown in the same page."""
    if not charts:
        return Html("<p><i>Nothing was recorded for this chart.</i></p>")
    script, places = components(charts)  # together: what they share, such as a range, belongs to one document
    return Html("\n".join((*places, script)))
