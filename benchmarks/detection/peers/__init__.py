"""What others have, tried on the same events by the same rules; none is calibrated, as none is by its authors."""

from __future__ import annotations

from benchmarks.detection.labelled import Judge, each
from benchmarks.detection.peers.clusters import two_clusters
from benchmarks.detection.peers.estimators import ESTIMATORS
from benchmarks.detection.peers.river_models import RIVER
from benchmarks.detection.peers.rolling import robust_z, rolling_z

PEERS: dict[str, Judge] = {
    **RIVER,
    **ESTIMATORS,
    "rolling z, 60 values": each(lambda series: rolling_z(series, 60)),
    "rolling z, 288 values": each(lambda series: rolling_z(series, 288)),
    "rolling median and MAD, 300 values": each(robust_z),
    "two clusters of changes": each(two_clusters),
}
