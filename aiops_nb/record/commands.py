"""Commands of earlier formats, read as they are written today."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa

from aiops_nb.core.earlier import upgrade_command
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import Item

_KIND, _BODY = "kind", "body"


def with_present_commands(item: Item) -> Item:
    """The item, its commands under today's names; an item without a command of format 2 stays as it is.

    A body that is no command of format 2 either is left to the pipeline, which says what is wrong with it.

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
    present = [_present(body) if kind == "command" else body for kind, body in zip(kinds, given, strict=True)]
    if present == given:
        return item
    place = item.batch.schema.get_field_index(_BODY)
    field = item.batch.schema.field(place)
    return Item(item.seq, item.table, item.source, item.batch.set_column(place, field, pa.array(present, field.type)))


def _present(body: str | None) -> str | None:
    if body is None or body.startswith('{"type":'):  # as the encoder writes it
        return body
    try:
        plain: Any = msgspec.json.decode(body)
        upgraded = upgrade_command(plain)
    # A stranger's recording may hold any text: too deep, of other types, no command at all.
    except (msgspec.DecodeError, RecursionError, ConfigError, AttributeError, TypeError):
        return body
    return body if upgraded is plain else msgspec.json.encode(upgraded).decode()
