"""Commands of the stream: control items that change what the pipeline does from their place on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from aiops_nb.alert.answers import HeldAcknowledgement
from aiops_nb.alert.silences import HeldSilence
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.matchers import parse_matchers
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.plug_ins import pipeline_model, plain_pipeline
from aiops_nb.engine.trust import require_trust
from aiops_nb.features.requests.objective_history import History

Name = Annotated[str, Meta(max_length=200)]
Note = Annotated[str, Meta(max_length=2_000)]
MomentNs = Annotated[int, Meta(ge=-(1 << 62), le=1 << 62)]
LONGEST_SILENCE_SECONDS = 10 * 366 * 86_400.0
HoldSeconds = Annotated[float, Meta(gt=0, le=LONGEST_SILENCE_SECONDS)]


class Silence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="silence"):
    """Alerts notify nobody for a time; an alert that is snoozed is silenced by its fingerprint.

    `starts_at_ns` None: from here on. It ends at `ends_at_ns`, or `hold_seconds` after its start. Another one with the
    same `id` replaces it.
    """

    id: Name
    matchers: tuple[Note, ...] = ()
    fingerprint: Name = ""
    starts_at_ns: MomentNs | None = None
    ends_at_ns: MomentNs | None = None
    hold_seconds: HoldSeconds | None = None
    author: Name = ""
    reason: Note = ""

    def __post_init__(self) -> None:
        if not parse_matchers(self.matchers) and not self.fingerprint:
            raise ConfigError.at("matchers", "at least one matcher, or a fingerprint", "none")
        if (self.ends_at_ns is None) == (self.hold_seconds is None):
            raise ConfigError.at("ends_at_ns", "either ends_at_ns or hold_seconds", self.ends_at_ns)

    def from_moment(self, now_ns: int) -> HeldSilence:
        """The silence, begun now unless it says when."""
        start_ns = now_ns if self.starts_at_ns is None else self.starts_at_ns
        hold_ns = round((self.hold_seconds or 0.0) * NS_PER_SECOND)
        return HeldSilence(
            id=self.id,
            matchers=parse_matchers(self.matchers),
            fingerprint=self.fingerprint,
            starts_at_ns=start_ns,
            ends_at_ns=start_ns + hold_ns if self.ends_at_ns is None else self.ends_at_ns,
            author=self.author,
            reason=self.reason,
        )


def silence_command(silence: HeldSilence) -> Silence:
    """The command that sets a silence with the times that it has.

    Examples
    --------
    >>> silence = HeldSilence(id="s1", fingerprint="f", starts_at_ns=5, ends_at_ns=9)
    >>> silence_command(silence).from_moment(7) == silence
    True
    """
    return Silence(
        id=silence.id,
        matchers=tuple(str(matcher) for matcher in silence.matchers),
        fingerprint=silence.fingerprint,
        starts_at_ns=silence.starts_at_ns,
        ends_at_ns=silence.ends_at_ns,
        author=silence.author,
        reason=silence.reason,
    )


def still_held(silences: Iterable[HeldSilence], now_ns: int) -> tuple[Silence, ...]:
    """The commands that set those silences again which are not over."""
    return tuple(silence_command(silence) for silence in silences if silence.ends_at_ns > now_ns)


class Start(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="start"):
    """The first item of every run: its parameters, and the sources that will send rows.

    `resume` keeps the baselines of the run before, if that had the same parameters. `own_hosts` are the labels of the
    machine that the monitor itself runs on. `history` holds what the objectives of the run take over from an earlier
    recording, `silences` those of the run before that still hold. `acknowledged` are its acknowledged alerts: one of
    these that begins again soon still is.
    """

    pipeline: PipelineParams = PipelineParams()
    sources: tuple[str, ...] = ()
    resume: bool = False
    own_hosts: tuple[str, ...] = ()
    history: History | None = None
    silences: tuple[Silence, ...] = ()
    acknowledged: tuple[HeldAcknowledgement, ...] = ()


def held(start: Start) -> tuple[HeldSilence, ...]:
    """The silences that a run begins with."""
    return tuple(silence.from_moment(0) for silence in start.silences)


class SetThreshold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="set_threshold"):
    """The rules named `alertname` have a new threshold from here on (a slider was moved)."""

    alertname: str
    threshold: float


class AddTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="add_target"):
    """A URL is probed from here on; `target` is its name, which shows no secret. One that was removed comes back."""

    target: str
    interval_seconds: float


class RemoveTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="remove_target"):
    """A target is probed no more: its alerts end, and nothing more is expected of it."""

    target: str


class PauseTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="pause_target"):
    """A target is not probed for a time: its alerts end, its baselines are kept."""

    target: str


class ResumeTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="resume_target"):
    """A paused target is probed again."""

    target: str


class SetInterval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="set_interval"):
    """A target is probed at another interval from here on."""

    target: str
    interval_seconds: float


class SourceEnded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="source_ended"):
    """A source sends nothing more: it no longer holds the windows open, and its silence is no alert."""

    source: str


class SourceFailed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="source_failed"):
    """The polls of a source have failed since then; `reason` holds no secret."""

    source: Name
    since_ns: MomentNs
    reason: Note = ""


class SourceRecovered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="source_recovered"):
    """A source that failed works again."""

    source: Name


class Stop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="stop"):
    """The run ends: all windows with rows are closed. `acknowledged` are the alerts that were, for the next run."""

    acknowledged: tuple[HeldAcknowledgement, ...] = ()


TargetCommand = AddTarget | RemoveTarget | PauseTarget | ResumeTarget | SetInterval


class Acknowledge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="acknowledge"):
    """Somebody knows of an active alert: nobody is reminded of this episode."""

    fingerprint: Name
    author: Name = ""
    note: Note = ""


class Unacknowledge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="unacknowledge"):
    """An acknowledgement is taken back."""

    fingerprint: Name
    author: Name = ""


class Comment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="comment"):
    """Something is noted about the present episode of an alert."""

    fingerprint: Name
    text: Note
    author: Name = ""


class EndSilence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="end_silence"):
    """A silence ends before its time."""

    id: Name
    author: Name = ""


class Mark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="mark"):
    """Something was done that may matter, such as a deployment; it changes nothing, and is shown with what follows.

    `target` empty: of all targets. `at_ns` None: now. Another one with the same `id` replaces it.
    """

    id: Name
    text: Note
    target: Note = ""
    at_ns: MomentNs | None = None
    author: Name = ""


class Unmark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="unmark"):
    """A mark is taken back."""

    id: Name
    author: Name = ""


Answer = Acknowledge | Unacknowledge | Comment | Silence | EndSilence
"""Commands with which people answer alerts."""

Command = (
    Start | SetThreshold | TargetCommand | SourceEnded | SourceFailed | SourceRecovered | Stop | Answer | Mark | Unmark
)
"""Body of a control item of kind `command`: a JSON object whose `type` says which."""

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Command)


def encode_command(command: Command) -> str:
    """Body of a command item.

    Examples
    --------
    >>> encode_command(SetThreshold(alertname="latency_p95_anomaly", threshold=8.0))
    '{"type":"set_threshold","alertname":"latency_p95_anomaly","threshold":8.0}'
    """
    return _ENCODER.encode(command).decode()


def decode_command(body: str, *, trust: bool = True) -> Command:
    """Read the body of a command item.

    Parameters
    ----------
    body
        JSON.
    trust
        Whether a start may name detectors of other packages, see `require_trust`; no plug-in is loaded if not.

    Raises
    ------
    ConfigError
        If it is not a known command, or not to be trusted; the message has the path of the fault.

    Examples
    --------
    >>> decode_command('{"type": "source_ended", "source": "feed"}')
    SourceEnded(source='feed')
    """
    try:
        if not trust:
            require_trust(_pipeline_of_start(body), trust=False)
        command: Command = _DECODER.decode(body)
    except msgspec.ValidationError as problem:
        start = _start_with_plug_ins(body)
        if start is None:
            raise ConfigError(f"command: {problem}") from None
        return start
    except msgspec.DecodeError as problem:
        raise ConfigError(f"command: {problem}") from None
    return command


def _start_with_plug_ins(body: str) -> Start | None:
    """A start whose rules name detectors of plug-ins; None for other commands."""
    contents = _pipeline_of_start(body)
    model = pipeline_model(contents)
    if model is PipelineParams:
        return None
    others = {**msgspec.json.decode(body), "pipeline": {}}
    try:
        pipeline = plain_pipeline(msgspec.convert(contents, model))
        start = msgspec.convert(others, Start)
    except msgspec.ValidationError:
        return None
    return msgspec.structs.replace(start, pipeline=pipeline)


def _pipeline_of_start(body: str) -> dict[str, object] | None:
    contents = msgspec.json.decode(body)
    if not isinstance(contents, dict) or contents.get("type") != "start":
        return None
    pipeline = contents.get("pipeline")
    return pipeline if isinstance(pipeline, dict) else None
