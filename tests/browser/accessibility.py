"""axe-core in a page: what keeps people with a screen reader, or without a mouse, from using it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.paths import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = ROOT / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
INSTALL = "npm install --prefix build/axe --no-save --ignore-scripts axe-core@4.14.1"
SEVERE = ("serious", "critical")
RUN = """async (within) => {
  const found = await axe.run(within, { resultTypes: ["violations"] });
  return found.violations.map(({ id, impact, help, nodes }) => ({
    id, impact, help, where: nodes.slice(0, 5).map((node) => `${node.target.join(" ")}: ${node.failureSummary}`),
  }));
}"""


def severe_faults(page: Page, within: str) -> list[dict[str, Any]]:
    """What axe-core calls serious or critical below a selector."""
    if not AXE.exists():
        # on a build machine, an asset that is missing is a fault, not a circumstance
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"axe-core is not installed: {INSTALL}")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    faults: list[dict[str, Any]] = page.evaluate(RUN, within)
    return [fault for fault in faults if fault["impact"] in SEVERE]
