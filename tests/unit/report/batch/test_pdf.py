"""A page printed by a real Chromium; a machine without one is told so."""

import re
import shutil

import pytest

from aiops_nb.core.errors import AiopsError
from aiops_nb.demo import demo_recording
from aiops_nb.report import run_report
from aiops_nb.report.batch.pdf import BROWSERS, print_pdf

needs_browser = pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="this machine has no Chromium")
PAGE = "<!DOCTYPE html><title>Shop</title><img src='http://127.0.0.1:9/x.png'><p>it's {a} 100 %</p>"


@needs_browser
def test_a_page_is_printed_next_to_it(tmp_path):
    folder = tmp_path / "it's {a} 100 % ä"
    folder.mkdir()
    html = folder / "report.html"
    html.write_text(PAGE, encoding="utf-8")
    pdf = print_pdf(html)
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b(?!s)", content)) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.pdf"]


def test_without_a_browser_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AiopsError, match=r"pdf: expected an installed browser .* found none"):
        run_report(demo_recording(), out=tmp_path / "out", pdf=True)
    assert not (tmp_path / "out").exists()


def test_a_browser_that_fails_is_one_clear_error(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "chromium"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'no space left' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/bin:/usr/bin", prepend=None)
    (tmp_path / "a.html").write_text(PAGE)
    with pytest.raises(AiopsError, match=r"pdf: .*chromium: no space left"):
        print_pdf(tmp_path / "a.html")
    assert not (tmp_path / "a.pdf").exists()
