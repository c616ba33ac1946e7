"""What is loaded on first use: public names of a package (six lines need no library), and plug-ins of others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

OURS = "aiops_nb"
MAX_PROBLEM_CHARACTERS = 300


class Typed(Protocol):
    """A spec that a configuration can name by its `type`."""

    @property
    def type(self) -> str:
        """The name in a configuration."""
        ...


Spec = TypeVar("Spec", bound=Typed)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugIn(Generic[Spec]):
    """What an installed package offers by an entry point: its spec, or why that cannot be used.

    Attributes
    ----------
    name, package
        Of the entry point, and the package that has it.
    spec
        None for a plug-in that cannot be used.
    problem
        Why it cannot be used, on one line; else empty.
    """

    name: str
    package: str
    spec: Spec | None
    problem: str


def plug_ins(group: str, kind: type[Spec], built_in: Collection[str]) -> list[PlugIn[Spec]]:
    """Load what the installed packages offer in a group of entry points.

    A plug-in that cannot be used has a `problem` and no spec. It raises nothing, and nothing that it does while it is
    loaded ends the caller, short of ending the process.

    Parameters
    ----------
    group
        Such as `aiops_nb.detectors`; the name of an entry point is the `type` of its spec.
    kind
        The class of the specs.
    built_in
        Types that are taken.

    Returns
    -------
    list of PlugIn
        By package, then by name.

    Examples
    --------
    >>> plug_ins("aiops_nb.nothing", PlugIn, ())
    []
    """
    taken = dict.fromkeys(built_in, OURS)
    return [_loaded(point, kind, taken) for point in _entry_points(group)]


def _entry_points(group: str) -> Iterator[EntryPoint]:
    from importlib.metadata import entry_points

    seen: set[tuple[str, str]] = set()
    for point in sorted(entry_points(group=group), key=lambda one: (_package(one), one.name)):
        if (point.name, point.value) not in seen:  # a folder may be listed twice in sys.path
            seen.add((point.name, point.value))
            yield point


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "unknown"


def _loaded(point: EntryPoint, kind: type[Spec], taken: dict[str, str]) -> PlugIn[Spec]:
    package, spec = _package(point), None
    try:
        spec = point.load()
        problem = _problem(point, spec, kind, taken)
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # the code of others may raise anything, SystemExit included
        problem = f"{type(fault).__name__}: {' '.join(str(fault).split())}"[:MAX_PROBLEM_CHARACTERS]
    if problem or not isinstance(spec, kind):
        return PlugIn(name=point.name, package=package, spec=None, problem=problem)
    taken[spec.type] = package
    return PlugIn(name=point.name, package=package, spec=spec, problem="")


def _problem(point: EntryPoint, spec: object, kind: type[Spec], taken: Mapping[str, str]) -> str:
    if not isinstance(spec, kind):
        return f"expected a {kind.__name__}, got {type(spec).__name__}"
    if spec.type != point.name:
        return f"expected the entry point's name to be its type {spec.type!r}, got {point.name!r}"
    if spec.type in taken:
        return f"the type {spec.type!r} is taken by {taken[spec.type]}"
    return ""


def lazily(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` (PEP 562) of a package.

    Parameters
    ----------
    package
        Its `__name__`.
    homes
        Each public name, with the dotted name of its module.

    Examples
    --------
    >>> get, names = lazily("demo", {"AiopsError": "aiops_nb.core.errors"})
    >>> names(), get("AiopsError").__name__
    (['AiopsError'], 'AiopsError')
    >>> get("nothing")
    Traceback (most recent call last):
    ...
    AttributeError: module 'demo' has no attribute 'nothing'
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return get, lambda: sorted(homes)
