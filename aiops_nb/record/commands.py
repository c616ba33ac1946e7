"""Commands of a recording: earlier formats in today's form, and nothing that names code to run."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa

from aiops_nb.core.earlier import upgrade_command
from aiops_nb.core.errors import ConfigError, RecordingError
from aiops_nb.core.types import Item

_KIND, _BODY = "kind", "body"


ESTIMATOR = "estimator"  # the `type` of a detector that is a class of another library


def with_present_commands(item: Item, where: str = "recording", *, trust: bool = False) -> Item:
    """The item, its commands under today's names; a body that is no command is left for the pipeline to refuse.

    Parameters
    ----------
    item
        Any item of a recording.
    where
        Path of the recording, for messages.
    trust
        Whether its rules may name estimators: classes of other libraries, which may do anything when they are made.

    Raises
    ------
    RecordingError
        If a rule names an estimator and the recording is not trusted.

    Examples
    --------
    >>> from aiops_nb.core.schemas import control_batch
    >>> item = Item(0, "control", "monitor", control_batch("monitor", "command", 1, '{"stop":true}'))
    >>> with_present_commands(item).batch.column("body").to_pylist()
    ['{"type":"stop"}']
    """
    if item.table != "control":
        return item
    given = item.batch.column(_BODY).to_pylist()
    kinds = item.batch.column(_KIND).to_pylist()
    present = [
        _present(body, where, trust) if kind == "command" else body for kind, body in zip(kinds, given, strict=True)
    ]
    if present == given:
        return item
    place = item.batch.schema.get_field_index(_BODY)
    field = item.batch.schema.field(place)
    return Item(item.seq, item.table, item.source, item.batch.set_column(place, field, pa.array(present, field.type)))


def _present(body: str | None, where: str, trust: bool) -> str | None:
    """The body as the encoder would write it: the pipeline reads exactly what was checked here."""
    if body is None:
        return None
    try:
        recorded: Any = msgspec.json.decode(body)
        if not trust:
            refuse_estimators(recorded, where)  # first: what cannot be translated goes on as it is
        plain: Any = upgrade_command(recorded)
        if not trust:
            refuse_estimators(plain, where)
        return msgspec.json.encode(plain).decode()
    # Any text may be there: nested too deep, of other types, no command at all.
    except (msgspec.DecodeError, RecursionError, ConfigError, AttributeError, TypeError):
        return body


def refuse_estimators(plain: Any, where: str) -> None:
    """Refuse parameters in which a detector is an estimator, at any depth.

    Raises
    ------
    RecordingError
        Naming the class and how to trust the recording.

    Examples
    --------
    >>> refuse_estimators({"detector": {"type": "ewma"}}, "r")
    >>> refuse_estimators([{"detector": {"type": "estimator", "estimator": "a.B"}}], "r")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.RecordingError: r: a rule runs the estimator 'a.B'; if you trust the origin of this ...
    """
    if isinstance(plain, dict):
        if plain.get("type") == ESTIMATOR:
            name = str(plain.get("estimator"))[:100]
            remedy = "if you trust the origin of this recording, open it with trust=True (--trust)"
            raise RecordingError(f"{where}: a rule runs the estimator {name!r}; {remedy}")
        plain = list(plain.values())
    for value in plain if isinstance(plain, list) else ():
        refuse_estimators(value, where)
