"""What a control item may tell the pipeline."""

from __future__ import annotations

import msgspec

from aiops_nb.core.errors import ConfigError
from aiops_nb.engine.params import PipelineParams
from aiops_nb.features.requests.objective_history import History


class StartCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first item of every run: the parameters, and the sources that are to come."""

    pipeline: PipelineParams = PipelineParams()
    sources: tuple[str, ...] = ()


class ThresholdCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A slider was moved: the rule `alertname` has a new threshold from here on."""

    alertname: str
    threshold: float


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Body of a control item of kind `command`: one of these.

    `source_ended` names a source that will not hold the windows any more; `stop` ends a run and closes its windows.
    `history` goes with `start`: what the objectives of the run take over from an earlier recording.
    """

    start: StartCommand | None = None
    history: History | None = None
    set_threshold: ThresholdCommand | None = None
    source_ended: str | None = None
    stop: bool = False


def decode_command(body: str) -> Command:
    """Read the body of a command item.

    Raises
    ------
    ConfigError
        If it is not a known command; the message carries the path of the fault.
    """
    try:
        return msgspec.json.decode(body, type=Command)
    except (msgspec.DecodeError, msgspec.ValidationError) as problem:
        raise ConfigError(f"command: {problem}") from None
