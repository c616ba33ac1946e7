"""Which targets depend on which others, and through which further ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aiops_nb.core.errors import ConfigError

DependsOn = Mapping[str, tuple[str, ...]]


def ancestors(depends_on: DependsOn, target: str) -> Iterator[str]:
    """Everything that a target depends on, nearest first.

    Parameters
    ----------
    depends_on
        What each target depends on directly; without cycles.
    target
        A name.

    Examples
    --------
    >>> list(ancestors({"shop": ("api",), "api": ("db", "cache")}, "shop"))
    ['api', 'db', 'cache']
    """
    seen: set[str] = set()
    level = depends_on.get(target, ())
    while level:
        fresh = [one for one in dict.fromkeys(level) if one not in seen]
        seen.update(fresh)
        yield from fresh
        level = tuple(parent for one in fresh for parent in depends_on.get(one, ()))


def refuse_cycles(depends_on: DependsOn) -> None:
    """Check that no target depends on itself, directly or through others.

    Raises
    ------
    ConfigError
        Naming the way round.

    Examples
    --------
    >>> refuse_cycles({"a": ("b",), "b": ("c",), "c": ("a",)})
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: depends_on: expected no cycle, got 'a -> b -> c -> a'
    """
    done: set[str] = set()
    for first in depends_on:
        if first in done:
            continue
        path = {first: None}
        choices = [iter(depends_on[first])]
        while choices:  # without recursion: a chain may be long
            parent = next(choices[-1], None)
            if parent is None:
                choices.pop()
                done.add(path.popitem()[0])
            elif parent in path:
                names = list(path)
                cycle = " -> ".join([*names[names.index(parent) :], parent])
                raise ConfigError.at("depends_on", "no cycle", cycle)
            elif parent not in done:
                path[parent] = None
                choices.append(iter(depends_on.get(parent, ())))
