"""Real-time monitoring and anomaly detection for people who live in notebooks.

Importing this package is cheap: each public name loads its room on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiops_nb.config import Config as Config
    from aiops_nb.core.errors import AiopsError as AiopsError
    from aiops_nb.detect.change_points import change_points as change_points
    from aiops_nb.detect.estimators import as_detector as as_detector
    from aiops_nb.detect.registry import detectors as detectors
    from aiops_nb.features.clean_frames import clean_frame as clean_frame
    from aiops_nb.features.clean_frames import clean_series as clean_series
    from aiops_nb.monitor import Monitor as Monitor
    from aiops_nb.recording import Recording as Recording
    from aiops_nb.recording import open_recording as open_recording
    from aiops_nb.scoring import score_frame as score_frame
    from aiops_nb.scoring import score_series as score_series
    from aiops_nb.session import from_frame as from_frame
    from aiops_nb.session import replay as replay
    from aiops_nb.session import watch as watch
    from aiops_nb.synthetic_session import from_synthetic as from_synthetic

__version__ = "0.1.0"

_ROOMS = {
    "AiopsError": "aiops_nb.core.errors",
    "Config": "aiops_nb.config",
    "Monitor": "aiops_nb.monitor",
    "Recording": "aiops_nb.recording",
    "as_detector": "aiops_nb.detect.estimators",
    "change_points": "aiops_nb.detect.change_points",
    "clean_frame": "aiops_nb.features.clean_frames",
    "clean_series": "aiops_nb.features.clean_frames",
    "detectors": "aiops_nb.detect.registry",
    "from_frame": "aiops_nb.session",
    "from_synthetic": "aiops_nb.synthetic_session",
    "open_recording": "aiops_nb.recording",
    "replay": "aiops_nb.session",
    "score_frame": "aiops_nb.scoring",
    "score_series": "aiops_nb.scoring",
    "watch": "aiops_nb.session",
}
__all__ = [
    "AiopsError",
    "Config",
    "Monitor",
    "Recording",
    "__version__",
    "as_detector",
    "change_points",
    "clean_frame",
    "clean_series",
    "detectors",
    "from_frame",
    "from_synthetic",
    "open_recording",
    "replay",
    "score_frame",
    "score_series",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'aiops_nb' has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return __all__
