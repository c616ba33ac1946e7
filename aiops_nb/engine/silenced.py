"""The silences and acknowledgements that a stream of commands leads to, without its rows."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from aiops_nb.alert.answers import HeldAcknowledgement
from aiops_nb.alert.silences import HeldSilence, Silences
from aiops_nb.core.columns import times_ns
from aiops_nb.core.errors import ConfigError
from aiops_nb.engine.commands import EndSilence, Silence, Start, Stop, decode_command, held


def silences_of(control: Iterable[pa.RecordBatch]) -> tuple[HeldSilence, ...]:
    """All silences of a stream, those that are over too.

    Parameters
    ----------
    control
        Its control items in their order.

    Examples
    --------
    >>> from aiops_nb.core.schemas import control_batch
    >>> from aiops_nb.engine.commands import encode_command
    >>> body = encode_command(Silence(id="s1", matchers=('severity="info"',), hold_seconds=60, author="anna"))
    >>> [(one.id, one.author) for one in silences_of([control_batch("user", "command", 0, body)])]
    [('s1', 'anna')]
    """
    silences = Silences()
    for batch in control:
        kinds, bodies = batch.column("kind").to_pylist(), batch.column("body").to_pylist()
        for kind, body, time_ns in zip(kinds, bodies, times_ns(batch.column("time")).tolist(), strict=True):
            if kind == "command" and body and "silence" in body:
                _obey(silences, body, time_ns)
    return tuple(silences.by_id.values())


def _obey(silences: Silences, body: str, time_ns: int) -> None:
    try:
        command = decode_command(body, trust=False)
    except ConfigError:  # a start with plug-ins, which is not trusted here: no silence is lost that a command set
        return
    match command:
        case Start():
            for silence in held(command):
                silences.add(silence, time_ns)
        case Silence():
            silences.add(command.from_moment(time_ns), time_ns)
        case EndSilence():
            silences.end(command.id, time_ns, command.author)


def acknowledged_at_end(control: Iterable[pa.RecordBatch]) -> tuple[HeldAcknowledgement, ...]:
    """The alerts that were acknowledged when the last run of a stream stopped; none if it was killed.

    Parameters
    ----------
    control
        Its control items in their order.

    Examples
    --------
    >>> from aiops_nb.core.schemas import control_batch
    >>> from aiops_nb.engine.commands import encode_command
    >>> stop = Stop(acknowledged=(HeldAcknowledgement(fingerprint="f", at_ns=1, author="anna"),))
    >>> batch = control_batch("monitor", "command", 0, encode_command(stop))
    >>> [one.author for one in acknowledged_at_end([batch])]
    ['anna']
    """
    found: tuple[HeldAcknowledgement, ...] = ()
    for batch in control:
        for kind, body in zip(batch.column("kind").to_pylist(), batch.column("body").to_pylist(), strict=True):
            if kind != "command" or not body:
                continue
            if '"start"' in body:
                found = ()
            elif '"stop"' in body:
                command = decode_command(body, trust=False)
                found = command.acknowledged if isinstance(command, Stop) else found
    return found
