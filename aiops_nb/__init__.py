"""Real-time monitoring and anomaly detection for people who live in notebooks.

Importing this package is cheap: each public name loads its room on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb._version import __version__
from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.config import Config as Config
    from aiops_nb.core.errors import AiopsError as AiopsError
    from aiops_nb.detect.estimators.adapter import as_detector as as_detector
    from aiops_nb.detect.registry import detectors as detectors
    from aiops_nb.detect.river_model import StreamDetector as StreamDetector
    from aiops_nb.frames.what_moved import what_moved as what_moved
    from aiops_nb.monitor.monitor import Monitor as Monitor
    from aiops_nb.offline.change_points import change_points as change_points
    from aiops_nb.offline.preprocess import preprocess_frame as preprocess_frame
    from aiops_nb.offline.preprocess import preprocess_series as preprocess_series
    from aiops_nb.offline.score import score_frame as score_frame
    from aiops_nb.offline.score import score_series as score_series
    from aiops_nb.offline.sklearn_estimator import SeriesDetector as SeriesDetector
    from aiops_nb.session.follow import follow as follow
    from aiops_nb.session.recording import Recording as Recording
    from aiops_nb.session.recording import open_recording as open_recording
    from aiops_nb.session.synthetic import from_synthetic as from_synthetic
    from aiops_nb.session.watch import from_frame as from_frame
    from aiops_nb.session.watch import replay as replay
    from aiops_nb.session.watch import watch as watch

_ROOMS = {
    "AiopsError": "aiops_nb.core.errors",
    "Config": "aiops_nb.config",
    "Monitor": "aiops_nb.monitor.monitor",
    "Recording": "aiops_nb.session.recording",
    "SeriesDetector": "aiops_nb.offline.sklearn_estimator",
    "StreamDetector": "aiops_nb.detect.river_model",
    "as_detector": "aiops_nb.detect.estimators.adapter",
    "change_points": "aiops_nb.offline.change_points",
    "preprocess_frame": "aiops_nb.offline.preprocess",
    "preprocess_series": "aiops_nb.offline.preprocess",
    "detectors": "aiops_nb.detect.registry",
    "follow": "aiops_nb.session.follow",
    "from_frame": "aiops_nb.session.watch",
    "from_synthetic": "aiops_nb.session.synthetic",
    "open_recording": "aiops_nb.session.recording",
    "replay": "aiops_nb.session.watch",
    "score_frame": "aiops_nb.offline.score",
    "score_series": "aiops_nb.offline.score",
    "watch": "aiops_nb.session.watch",
    "what_moved": "aiops_nb.frames.what_moved",
}
__all__ = [
    "AiopsError",
    "Config",
    "Monitor",
    "Recording",
    "SeriesDetector",
    "StreamDetector",
    "__version__",
    "as_detector",
    "change_points",
    "detectors",
    "follow",
    "from_frame",
    "from_synthetic",
    "open_recording",
    "preprocess_frame",
    "preprocess_series",
    "replay",
    "score_frame",
    "score_series",
    "watch",
    "what_moved",
]
__getattr__, _ = lazily(__name__, _ROOMS)


def __dir__() -> list[str]:
    return __all__
