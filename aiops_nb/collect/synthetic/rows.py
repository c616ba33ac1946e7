"""Requests that are being made: dice per second, then columns of all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.random import Generator

from aiops_nb.collect.synthetic.clients import clients, zipf_shares
from aiops_nb.collect.synthetic.params import TrafficParams
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray, IntArray

ORDINARY = -1
REFUSED = 0  # no status was received
SPEED_STREAM, TRAFFIC_STREAM, FAULT_STREAM = 4, 5, 16
WHEN, TAIL, FAILS, METHOD, CLIENT, LUCK, LOST, _CHANCES = range(8)
SPREAD, SIZE, _NORMALS = range(3)
METHODS = ("GET", "POST", "PUT", "DELETE")
_METHOD_STEPS = (0.8, 0.95, 0.98)
_LONGEST_SECONDS = 60.0  # somebody's time-out ends even the tail
_BODY_BYTES, _BODY_SIGMA, _ERROR_BYTES = 4_000.0, 1.0, 300


@dataclass(slots=True)
class Dice:
    """What chance says about some requests: (rows,) or (rows, draws)."""

    second: IntArray
    target: IntArray
    cause: IntArray
    chance: FloatArray
    normal: FloatArray


def roll(rng: Generator, second: int, counts: IntArray, cause: int = ORDINARY) -> Dice:
    """Dice for so many requests of each target in one second."""
    target = np.repeat(np.arange(len(counts)), counts)
    rows = len(target)
    return Dice(
        np.full(rows, second), target, np.full(rows, cause), rng.random((rows, _CHANCES)), rng.normal(size=(rows, 2))
    )


def rolled_all(dice: list[Dice]) -> Dice:
    """All of them, in order."""
    return Dice(*(np.concatenate([getattr(one, field.name) for one in dice]) for field in fields(Dice)))


@dataclass(slots=True)
class Rows:
    """Requests that are being made, (rows,) each.

    `name` counts `targets` and then the paths of probed ones; `cause` is the place of the fault that made the row.
    """

    time_ns: IntArray
    target: IntArray
    name: IntArray
    cause: IntArray
    duration_seconds: FloatArray
    status: IntArray
    method: IntArray
    client: IntArray
    response_bytes: IntArray
    chance: FloatArray

    def keep(self, rows: BoolArray | IntArray) -> None:
        """Leave the others out, or bring them into another order."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[rows])


def made_of(params: TrafficParams, dice: Dice, load: FloatArray) -> Rows:
    """Requests as they are when nothing is wrong; `load` is of each row."""
    chance = dice.chance
    within_ns = (chance[:, WHEN] * NS_PER_SECOND).astype(np.int64)
    epoch_seconds = params.start_ns // NS_PER_SECOND + dice.second
    fails = chance[:, FAILS] < params.error_ratio
    return Rows(
        time_ns=params.start_ns + dice.second * NS_PER_SECOND + within_ns,
        target=dice.target,
        name=dice.target.copy(),
        cause=dice.cause,
        duration_seconds=_durations(params, dice, load),
        status=np.where(fails, 500, 200),
        method=np.searchsorted(_METHOD_STEPS, chance[:, METHOD], "right"),
        client=clients(params.shape, epoch_seconds, chance[:, CLIENT]),
        response_bytes=np.where(fails, _ERROR_BYTES, _bodies(dice.normal[:, SIZE])),
        chance=chance,
    )


def weights(params: TrafficParams) -> FloatArray:
    """Share of each target in the traffic, (targets,)."""
    return zipf_shares(len(params.targets), params.shape.popularity_exponent)


def medians(params: TrafficParams) -> FloatArray:
    """Median latency of each target at its mean load, (targets,)."""
    spread = _speeds(params.seed, len(params.targets))
    speeds: FloatArray = params.median_seconds * np.exp(params.shape.speed_sigma * spread)
    return speeds


@lru_cache(maxsize=16)
def _speeds(seed: int, count: int) -> FloatArray:
    drawn = np.random.default_rng((seed, SPEED_STREAM, 0)).standard_normal(count)
    return drawn - drawn.mean() if count > 1 else np.zeros(1)


def _durations(params: TrafficParams, dice: Dice, load: FloatArray) -> FloatArray:
    shape = params.shape
    busy = np.maximum(1 + shape.load_ratio * (load - 1), 0.2)
    durations: FloatArray = medians(params)[dice.target] * busy * np.exp(params.sigma * dice.normal[:, SPREAD])
    tail = np.flatnonzero(dice.chance[:, TAIL] < shape.tail_ratio)
    if len(tail):
        left = 1 - dice.chance[tail, TAIL] / shape.tail_ratio  # uniform again, and never 0
        durations[tail] *= left ** (-1 / shape.tail_index)
    return np.minimum(durations, _LONGEST_SECONDS)


def _bodies(normal: FloatArray) -> IntArray:
    return np.minimum(_BODY_BYTES * np.exp(_BODY_SIGMA * normal), 1e9).astype(np.int64)
