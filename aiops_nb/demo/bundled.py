"""The recording that comes with the package: the demo service, watched while two rounds of faults came."""

from __future__ import annotations

from pathlib import Path

from aiops_nb.core.errors import RecordingError


def demo_recording() -> Path:
    """Folder of a small recording with labels, to try reports and tuning on; data/README.md says how it was made.

    Returns
    -------
    pathlib.Path
        Its directory, with `labels.jsonl`.

    Raises
    ------
    RecordingError
        If this installation came without it.

    Examples
    --------
    >>> sorted(path.name for path in demo_recording().glob("*.jsonl"))
    ['labels.jsonl']
    """
    package = Path(__file__).parents[1]
    candidates = (package / "demo" / "recording", package.parent / "data" / "demo")
    for place in candidates:
        if (place / "manifest.json").is_file():
            return place
    raise RecordingError(f"{candidates[0]}: the demo recording is missing; install aiops-nb again")
