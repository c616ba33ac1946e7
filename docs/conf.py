"""Sphinx configuration of the documentation site; `make docs` runs docs/build.py, which runs Sphinx."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

import aiops_nb

project = "aiops_nb"
version = release = aiops_nb.__version__
copyright = "the aiops_nb authors"
author = "the aiops_nb authors"

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
]
root_doc = "docs/index"
exclude_patterns = ["README.md", "docs/README.md", "aiops_nb", "data", "docs/_templates", "**/.ipynb_checkpoints"]

# The site works offline: nothing is fetched while it is built or read.
nb_execution_mode = "off"  # docs/build.py executes the notebooks before
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]
suppress_warnings = ["myst.xref_missing_directory"]

templates_path = ["_templates"]
autosummary_generate = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
maximum_signature_line_length = 90
autodoc_default_options = {"member-order": "bysource"}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "aiops_nb"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": False,
    "navigation_with_keys": False,
    "show_nav_level": 1,
}
html_sidebars = {"docs/troubleshooting": [], "docs/glossary": [], "CHANGELOG": [], "CONTRIBUTING": []}

# The README of a folder is its first page. Its list of pages is a table for people who read it as plain Markdown; the
# site's navigation is added here.
CHILDREN = {
    "docs/tutorial/README": ["/notebooks/*"],
    "docs/howto/README": ["*"],
    "docs/reference/README": [
        "configuration", "cli", "collectors", "columns", "recording", "alerts", "rules/README", "notifications",
        "dashboard", "detectors", "preprocessing", "host", "clients", "self-observation", "api",
    ],
    "docs/reference/rules/README": [
        "errors", "latency", "traffic", "certificates", "slo", "times", "messages", "metrics", "client_*",
        "distributed_flood", "endpoint_attack", "cpu_*", "memory_*", "swapping", "disk_*", "host_silence",
        "heartbeat_missed",
    ],
    "docs/explanation/README": [
        "architecture", "scores", "performance", "detector-benchmarks", "rule-benchmarks", "quality",
    ],
}  # fmt: skip


def add_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """Append the table of contents to the README of a folder."""
    if name in CHILDREN:
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n" + "\n".join(CHILDREN[name]) + "\n```\n"


def redirect_root(app: Sphinx, problem: Exception | None) -> None:
    """Let the folder's index.html lead to the first page."""
    page = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/index.html">\n'
    (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Connect what this site adds."""
    app.connect("source-read", add_navigation)
    app.connect("build-finished", redirect_root)
