"""A table of what a configuration can name by its `type`: what is built in, and what plug-ins add by entry points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import msgspec

from aiops_nb.core.errors import unknown
from aiops_nb.core.lazy import OURS, PlugIn, plug_ins

if TYPE_CHECKING:
    import pandas as pd


class NamedSpec(Protocol):
    """A spec that a configuration names by the `type` of its parameters."""

    @property
    def params(self) -> type[msgspec.Struct]:
        """The class of its parameters; their `tag` is the `type`."""
        ...

    @property
    def purpose(self) -> str:
        """What it is for, in one line."""
        ...

    @property
    def type(self) -> str:
        """The name in a configuration."""
        ...


Spec = TypeVar("Spec", bound=NamedSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecTable(Generic[Spec]):
    """The specs of one kind.

    Attributes
    ----------
    group
        The entry points of plug-ins, such as `aiops_nb.collectors`.
    kind
        The class of the specs.
    built_in
        Those of this package.
    """

    group: str
    kind: type[Spec]
    built_in: Sequence[Spec]

    def plugged_in(self) -> list[PlugIn[Spec]]:
        """What installed packages offer; each is loaded now."""
        return plug_ins(self.group, self.kind, [spec.type for spec in self.built_in])

    def spec_of(self, params: msgspec.Struct) -> Spec:
        """The spec that such parameters are of; plug-ins are loaded only if it is not built in.

        Raises
        ------
        ConfigError
            If none has them, naming the types that there are.
        """
        for spec in self.built_in:
            if type(params) is spec.params:
                return spec
        found = [one.spec for one in self.plugged_in() if one.spec is not None]
        for spec in found:
            if type(params) is spec.params:
                return spec
        known = [spec.type for spec in (*self.built_in, *found)]
        raise unknown("type", "a known type", str(params.__struct_config__.tag), known)

    def frame(self) -> pd.DataFrame:
        """A row per spec: `type`, `purpose`, `parameters`, `package`, and the `problem` of a plug-in, else empty."""
        import pandas as pd

        rows = [_row(spec, OURS) for spec in self.built_in]
        for one in self.plugged_in():
            broken = (one.name, "", "", one.package, one.problem)
            rows.append(broken if one.spec is None else _row(one.spec, one.package))
        return pd.DataFrame(rows, columns=["type", "purpose", "parameters", "package", "problem"], dtype=object)


def _row(spec: NamedSpec, package: str) -> tuple[str, str, str, str, str]:
    return spec.type, spec.purpose, ", ".join(spec.params.__struct_fields__), package, ""
