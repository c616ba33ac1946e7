"""The rows that prove an alert: each family of rules says which; frames, reports and checks ask here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from aiops_nb.alert.grouping import GROUPING_DETECTOR
from aiops_nb.rules.client.alerts import CLIENT_RULE_DETECTOR
from aiops_nb.rules.client.evidence import ClientEvidence
from aiops_nb.rules.connectivity import CONNECTIVITY_DETECTOR, ConnectivityEvidence
from aiops_nb.rules.evaluation_errors import EVALUATION_DETECTOR, NoRowsEvidence
from aiops_nb.rules.feature.evidence import FeatureEvidence
from aiops_nb.rules.message.judge import MESSAGE_RULE_DETECTOR
from aiops_nb.rules.no_data import NO_DATA, NoDataEvidence
from aiops_nb.rules.row.evidence import RowEvidence
from aiops_nb.rules.row.judge import ROW_RULE_DETECTOR
from aiops_nb.rules.source_times import SOURCE_RULE_DETECTOR, SourceEvidence

if TYPE_CHECKING:
    import pandas as pd

Alert: TypeAlias = "Mapping[str, Any] | pd.Series"
Frame: TypeAlias = "Callable[[], pd.DataFrame]"


class Evidence(Protocol):
    """What a family of rules offers."""

    def rows(self, alert: Alert, requests: Frame, scores: Frame) -> pd.DataFrame:
        """The rows that prove the alert.

        Parameters
        ----------
        alert
            A row of `alerts()`.
        requests, scores
            Give the rows of the time in question; only the one that is needed is called.
        """
        ...


class GroupEvidence:
    """An alert of several targets: what proves it for each of its members."""

    def rows(self, alert: Alert, requests: Frame, scores: Frame) -> pd.DataFrame:
        """The scores of its members, or their requests where the rule has no detector; see `Evidence.rows`."""
        found = scores()
        found = found[(found["origin"] == alert["origin"]) & (found["alertname"] == alert["alertname"])]
        if found.empty:
            found = requests()
            found = found[found["origin"] == alert["origin"]]
        members = alert["members"]
        own: pd.DataFrame = found[found["target"].isin(members)] if len(members) else found
        return own


_FAMILIES: dict[str, Evidence] = {
    CLIENT_RULE_DETECTOR: ClientEvidence(),
    CONNECTIVITY_DETECTOR: ConnectivityEvidence(),
    EVALUATION_DETECTOR: NoRowsEvidence(),
    GROUPING_DETECTOR: GroupEvidence(),
    NO_DATA: NoDataEvidence(),
    MESSAGE_RULE_DETECTOR: NoRowsEvidence(),  # its messages are neither requests nor scores: `message_rows`
    ROW_RULE_DETECTOR: RowEvidence(),
    SOURCE_RULE_DETECTOR: SourceEvidence(),
}
_OF_DETECTORS = FeatureEvidence()


def evidence_of(alert: Alert) -> Evidence:
    """The family of the rule that made an alert.

    Examples
    --------
    >>> type(evidence_of({"detector": "row_rule"})).__name__, type(evidence_of({"detector": "robust_z"})).__name__
    ('RowEvidence', 'FeatureEvidence')
    """
    return _FAMILIES.get(alert["detector"], _OF_DETECTORS)
