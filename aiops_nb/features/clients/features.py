"""Features of clients, and of clients at targets, over a sliding span of closed windows, in bounded memory."""

from __future__ import annotations

import numpy as np

from aiops_nb.core.types import BoolArray, IntArray
from aiops_nb.features.clients.baseline_rates import OwnBaseline
from aiops_nb.features.clients.burst_intervals import Pulses
from aiops_nb.features.clients.params import ClientParams
from aiops_nb.features.clients.roster import NO_CLIENTS, ClientRoster
from aiops_nb.features.clients.rows import ClientRows
from aiops_nb.features.clients.seen_before import KnownClients
from aiops_nb.features.clients.slot_totals import SlotTotals
from aiops_nb.features.clients.slots import NO_SLOT
from aiops_nb.features.clients.window import Clients, ClientWindow, Exclusions, Pairs, Targets
from aiops_nb.features.params import WindowParams

SURGE_SECONDS, LEARN_SECONDS = 10.0, 10.0
FOLLOWED_HZ = 0.1


class ClientFeatures:
    """Counts requests of clients, of pairs of client and target, and of targets.

    Memory does not depend on how many clients there are. A client that finds no room counts in the totals of the
    targets, and may find room in the next window.
    """

    def __init__(self, params: ClientParams, window: WindowParams) -> None:
        def ticks(seconds: float) -> int:
            return max(1, round(seconds / window.tick_seconds))

        self._learn_ticks = ticks(LEARN_SECONDS)
        settle, accept = (
            max(1, ticks(seconds) // self._learn_ticks) for seconds in (params.settle_seconds, params.accept_seconds)
        )
        self._known = KnownClients(params.known_cells, ticks(params.new_seconds), ticks(params.known_seconds))
        self._roster = ClientRoster(params, self._known)
        clients, pairs = self._roster.clients.pool.capacity, self._roster.pairs.capacity
        self._span_ticks, self._surge_ticks = window.span_ticks, ticks(SURGE_SECONDS)
        self._client_totals, self._pair_totals = SlotTotals(3, self._span_ticks), SlotTotals(4, self._span_ticks)
        self._target_totals, self._surge_totals = SlotTotals(1, self._span_ticks), SlotTotals(2, self._surge_ticks)
        self._baseline_count, self._baseline_refused, self._baseline_pairs = (
            OwnBaseline(capacity, settle, accept) for capacity in (clients, clients, pairs)
        )
        self._pulses = Pulses(pairs)
        self._tick_seconds = window.tick_seconds
        self._warmup_ticks = max(ticks(params.warmup_seconds), self._span_ticks + self._learn_ticks)
        self._targets = self._ticks = 0
        self._came: set[int] = set()

    @property
    def seen(self) -> bool:
        """Whether any client ever came."""
        return self._targets > 0

    # ---- rows

    def add(self, rows: ClientRows) -> None:
        """Take rows of open windows."""
        self._targets = max(self._targets, int(rows.target.max()) + 1)
        clients, pairs, fresh = self._roster.resolve(rows)
        self._make_room()
        followed = np.flatnonzero(pairs != NO_SLOT)
        places, units = self._pulses.intervals(pairs[followed], rows.time_ns[followed])
        ends = followed[places]
        first, last = int(rows.window.min()), int(rows.window.max())
        for window in [first] if first == last else np.unique(rows.window).tolist():
            here: BoolArray | slice = slice(None) if first == last else rows.window == window
            kept: BoolArray | slice = slice(None) if first == last else here[ends]  # type: ignore[index]
            self._came.add(window)
            self._add_clients(window, clients[here], rows.erred[here], rows.refused[here])
            self._add_targets(window, rows.target[here], fresh[here])
            self._add_pairs(window, _slotted(pairs[here]), pairs[ends[kept]], units[kept])

    def _make_room(self) -> None:
        self._client_totals.make_room(self._roster.clients.pool.high)
        self._pair_totals.make_room(self._roster.pairs.high)
        self._target_totals.make_room(self._targets)
        self._surge_totals.make_room(self._targets)

    def _add_clients(self, window: int, clients: IntArray, erred: BoolArray, refused: BoolArray) -> None:
        columns = (_slotted(clients), _slotted(clients[erred]), _slotted(clients[refused]))
        self._client_totals.add(window, [(slots, None) for slots in columns])

    def _add_targets(self, window: int, target: IntArray, fresh: BoolArray) -> None:
        self._target_totals.add(window, [(target, None)])
        self._surge_totals.add(window, [(target, None), (target[fresh], None)])

    def _add_pairs(self, window: int, rows: IntArray, ends: IntArray, units: IntArray) -> None:
        self._pair_totals.add(window, [(rows, None), (ends, None), (ends, units), (ends, units * units)])

    # ---- windows

    def close(self, window: int, end_ns: int, target_names: list[str]) -> ClientWindow:
        """Close the next window and return what is known now."""
        self._ticks += 1
        known = window in self._came
        self._came.discard(window)
        for totals in (self._client_totals, self._pair_totals, self._target_totals, self._surge_totals):
            totals.close(window)
        return ClientWindow(
            window=window,
            end_ns=end_ns,
            span_seconds=self._tick_seconds * self._span_ticks,
            known=known,
            early=self._ticks <= self._warmup_ticks,
            learns=known and self._ticks >= self._span_ticks and self._ticks % self._learn_ticks == 0,
            clients=self._client_part(),
            pairs=self._pair_part(),
            targets=self._target_part(),
            newcomers_total=self._known.newcomers_total,
            client_name=self._roster.name,
            client_key=self._roster.client_key,
            target_name=target_names.__getitem__,
        )

    def _client_part(self) -> Clients:
        count, erred, refused = self._client_totals.of(self._roster.clients.pool.high)
        return Clients(
            count=count,
            erred=erred,
            refused=refused,
            baseline_count=self._baseline_count,
            baseline_refused=self._baseline_refused,
        )

    def _pair_part(self) -> Pairs:
        high = self._roster.pairs.high
        count, intervals, units, squares = self._pair_totals.of(high)
        return Pairs(
            client=self._roster.client_of_pair[:high],
            target=self._roster.target_of_pair[:high],
            count=count,
            baseline_count=self._baseline_pairs,
            intervals=intervals,
            interval_units=units,
            interval_squares=squares,
        )

    def _target_part(self) -> Targets:
        n, seconds = self._targets, self._surge_ticks * self._tick_seconds
        rate, new = (_with_sum(total) / seconds for total in self._surge_totals.of(n))
        return Targets(count=_with_sum(self._target_totals.of(n)[0]), rate_hz=rate, new_hz=new)

    def learn(self, closed: ClientWindow, excluded: Exclusions) -> None:
        """Take in what was just judged, except for what is anomalous, and make room where it is crowded."""
        clients, pairs = closed.clients, closed.pairs
        if closed.learns:
            taken, early = self._roster.clients.pool.taken(), closed.early
            self._baseline_count.learn(clients.count, excluded.count, taken, early)
            self._baseline_refused.learn(clients.refused, excluded.refused, taken, early)
            self._baseline_pairs.learn(pairs.count, excluded.pairs, self._roster.pairs.taken(), early)
        self._known.tick(not excluded.flood)
        self._turn_over(closed.window, max(1, round(FOLLOWED_HZ * closed.span_seconds)))

    def _turn_over(self, window: int, followed_from: int) -> None:
        """Choose which clients to follow, and make room; who came in a window that is still open counts already."""
        clients = self._client_totals.with_open(self._roster.clients.pool.high)
        self._forget(NO_CLIENTS, self._roster.follow(clients, followed_from), window)
        pairs = self._pair_totals.with_open(self._roster.pairs.high)
        self._forget(*self._roster.make_room(clients, pairs), window)

    def _forget(self, clients: IntArray, pairs: IntArray, window: int) -> None:
        if len(clients):
            self._client_totals.forget(clients, window)
            self._baseline_count.forget(clients)
            self._baseline_refused.forget(clients)
        if len(pairs):
            self._pair_totals.forget(pairs, window)
            self._baseline_pairs.forget(pairs)
            self._pulses.forget(pairs)


def _with_sum(values: IntArray) -> IntArray:
    return np.append(values.sum(), values)


def _slotted(slots: IntArray) -> IntArray:
    return slots if slots.min(initial=0) != NO_SLOT else slots[slots != NO_SLOT]
