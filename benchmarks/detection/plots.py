"""The tables as bars, in SVG: small, and sharp at any size."""

from __future__ import annotations

from html import escape

import pandas as pd

BAR, GAP, LEFT, WIDTH = 9, 7, 210, 740
FONT = 'font-family="sans-serif" font-size="11"'
COLOURS = ("#2563a8", "#d97706", "#5b8c3e", "#8a8f98")


def bars(table: pd.DataFrame, columns: list[str], title: str, most: float) -> str:
    """A group of bars for each row, a bar for each column; `most` is the full width."""
    group = BAR * len(columns) + GAP
    height = 46 + group * len(table) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {FONT}>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="8" y="16" font-size="13" fill="#222222">{escape(title)}</text>',
        *_legend(columns),
    ]
    for number, (name, row) in enumerate(table.iterrows()):
        top = 46 + number * group
        parts.append(
            f'<text x="{LEFT - 6}" y="{top + group / 2}" text-anchor="end" fill="#222222">{escape(str(name))}</text>'
        )
        for place, column in enumerate(columns):
            parts += _bar(float(row[column]), top + place * BAR, COLOURS[place], most)
    return "\n".join([*parts, "</svg>", ""])


def _legend(columns: list[str]) -> list[str]:
    return [
        f'<rect x="{LEFT + 165 * place}" y="26" width="9" height="9" fill="{COLOURS[place]}"/>'
        f'<text x="{LEFT + 165 * place + 13}" y="34" fill="#222222">{escape(column)}</text>'
        for place, column in enumerate(columns)
    ]


def _bar(value: float, top: float, colour: str, most: float) -> list[str]:
    long = max(value, 0.0) / most * (WIDTH - LEFT - 40)
    return [
        f'<rect x="{LEFT}" y="{top:g}" width="{long:.1f}" height="{BAR - 1}" fill="{colour}"/>',
        f'<text x="{LEFT + long + 3:.1f}" y="{top + BAR - 1.5:g}" font-size="8" fill="#555555">{value:.2g}</text>',
    ]


def pictures(frames: dict[str, pd.DataFrame]) -> dict[str, str]:
    """File name to SVG, of the tables by name."""
    faults, of_rates = ["found", "spike", "shift", "freeze"], [f"found at {rate:g} a day" for rate in (0.1, 0.5, 1.0)]
    nab = frames["nab"]
    return {
        "detection_nab.svg": bars(nab, list(nab.columns), "Numenta benchmark, standard profile", 100.0),
        "detection_faults.svg": bars(frames["faults"], faults, "Synthetic faults found at 0.5 false alarms a day", 1.0),
        "detection_kpi.svg": bars(frames["kpi"].dropna(), of_rates, "Events found in indicators", 1.0),
        "detection_real.svg": bars(frames["real"], of_rates, "Labelled windows found in real series", 1.0),
    }
