"""Bokeh charts in a page that needs no network: the script once, each chart a small piece."""

from __future__ import annotations

from bokeh.embed import components
from bokeh.model import Model
from bokeh.resources import Resources

from aiops_nb.report.html import Html


def load_charts() -> Html:
    """BokehJS itself, without the parts that plain charts do not need; once per page."""
    return Html(Resources(mode="inline", components=["bokeh"], log_level="error").render_js())


def chart_html(*charts: Model) -> Html:
    """Charts below each other; `load_charts` must have been shown in the same page."""
    if not charts:
        return Html("<p><i>Nothing was recorded for this chart.</i></p>")
    script, places = components(charts)  # together: what they share, such as a range, belongs to one document
    return Html("\n".join((*places, script)))
