"""The public names stay: they are listed, they load, and they are documented."""

from __future__ import annotations

import inspect

import pytest

import aiops_nb

PROMISED = {"AiopsError", "Config", "Monitor", "Recording", "__version__", "open_recording", "replay", "watch"}


def test_all_holds_what_was_promised_and_is_sorted() -> None:
    assert set(aiops_nb.__all__) >= PROMISED
    assert aiops_nb.__all__ == sorted(aiops_nb.__all__)
    assert dir(aiops_nb) == aiops_nb.__all__


@pytest.mark.parametrize("name", aiops_nb.__all__)
def test_each_name_loads_and_is_documented(name: str) -> None:
    value = getattr(aiops_nb, name)
    assert isinstance(value, str) or inspect.getdoc(value)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'observe'"):
        aiops_nb.observe  # noqa: B018


def test_the_signatures_that_stay() -> None:
    watch = inspect.signature(aiops_nb.watch).parameters
    assert [watch[name].default for name in ("interval_seconds", "record", "config")] == [None, None, None]
    assert next(iter(watch)) == "targets" and aiops_nb.Config().interval_seconds == 1.0
    replay = inspect.signature(aiops_nb.replay).parameters
    assert next(iter(replay)) == "recording"
    assert replay["speed"].default is None and replay["config"].default is None
    assert all(p.kind is p.KEYWORD_ONLY for name, p in watch.items() if name != "targets")


@pytest.mark.parametrize("owner", ["Monitor", "Recording"])
@pytest.mark.parametrize("frame", ["requests", "samples", "features", "scores", "alerts"])
def test_both_owners_of_rows_offer_the_same_frames(owner: str, frame: str) -> None:
    assert callable(getattr(getattr(aiops_nb, owner), frame))
