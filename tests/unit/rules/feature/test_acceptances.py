"""How long a new level had lasted when it became the baseline."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.rules.feature.new_level import Acceptances

KNOWN, EXPECTED = np.array([True, True]), np.array([10.0, 10.0])


def note(acceptances, second, anomalous, value, accepted=(False, False), known=KNOWN):
    columns = (np.array(anomalous), np.array(known), np.array(accepted), EXPECTED, np.array(value, float))
    acceptances.note(*columns, second * NS_PER_SECOND)


def test_the_time_counts_from_the_first_of_the_windows_on_end():
    acceptances = Acceptances()
    for second in range(0, 40, 2):
        note(acceptances, second, (second >= 10, False), (20.0 if second >= 10 else 10.0, 10.0))
    note(acceptances, 40, (True, False), (20.0, 10.0), accepted=(True, False))
    assert acceptances.over(0, "") == "baseline updated after 16 windows (32 s): 10 -> 20"
    assert acceptances.over(0, "") == "" and acceptances.over(1, "") == ""


def test_a_window_without_a_verdict_does_not_begin_again():
    acceptances = Acceptances()
    for second in range(20):
        gap = second == 9
        note(acceptances, second, (not gap, False), (30.0, 10.0), known=(not gap, True))
    note(acceptances, 20, (True, False), (30.0, 10.0), accepted=(True, False))
    assert acceptances.over(0, "").startswith("baseline updated after 20 windows")


def test_a_normal_window_does():
    acceptances = Acceptances()
    for second in range(20):
        note(acceptances, second, (second != 9, False), (30.0, 10.0))
    note(acceptances, 20, (True, False), (30.0, 10.0), accepted=(True, False))
    assert acceptances.over(0, "").startswith("baseline updated after 11 windows (11 s)")
    assert acceptances.is_counting
    note(acceptances, 21, (False, False), (10.0, 10.0))
    assert not acceptances.is_counting
