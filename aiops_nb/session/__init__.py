"""The public verbs: watch, replay, open a recording, read a frame, make synthetic traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.lazy import lazily

if TYPE_CHECKING:
    from aiops_nb.session.follow import follow as follow
    from aiops_nb.session.recording import Recording as Recording
    from aiops_nb.session.recording import open_recording as open_recording
    from aiops_nb.session.synthetic import from_synthetic as from_synthetic
    from aiops_nb.session.watch import from_frame as from_frame
    from aiops_nb.session.watch import replay as replay

__all__ = ["Recording", "follow", "from_frame", "from_synthetic", "open_recording", "replay"]
__getattr__, __dir__ = lazily(
    __name__,
    {
        "Recording": "aiops_nb.session.recording",
        "follow": "aiops_nb.session.follow",
        "from_frame": "aiops_nb.session.watch",
        "from_synthetic": "aiops_nb.session.synthetic",
        "open_recording": "aiops_nb.session.recording",
        "replay": "aiops_nb.session.watch",
    },
)
