"""An executed notebook as one HTML page that asks nothing of the network."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

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
