"""Who is counted one by one: clients, and what the busiest of them ask for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import BoolArray, IntArray
from aiops_nb.features.clients.keys import LONGEST_NAME, ClientKeys
from aiops_nb.features.clients.lookup_cache import UNRESOLVED, LookupCache
from aiops_nb.features.clients.params import ClientParams
from aiops_nb.features.clients.rows import ClientRows
from aiops_nb.features.clients.seen_before import KnownClients
from aiops_nb.features.clients.slots import NO_SLOT, SlotPool, Slots, largest

PAIRS_PER_FOLLOWED = 64
NO_CLIENTS: IntArray = np.zeros(0, np.int64)
MOST_PAIRS = 1 << 16  # so that they can be sorted by 16 bits


class ClientRoster:
    """Slots of clients; and of pairs of client and target, for the followed clients, who have a seat each.

    `client_of_pair` and `target_of_pair` are (pair slots,).
    """

    def __init__(self, params: ClientParams, known: KnownClients) -> None:
        followed = min(params.followed_clients, params.max_clients)
        self.clients = Slots(params.max_clients)
        self.pairs = SlotPool(min(PAIRS_PER_FOLLOWED * followed, MOST_PAIRS), roomy_ratio=0.7)
        self.client_of_pair = np.zeros(self.pairs.capacity, np.int64)
        self.target_of_pair = np.zeros(self.pairs.capacity, np.int64)
        self._seat = np.full(params.max_clients, NO_SLOT, np.int64)
        self._seated = np.full(followed, NO_SLOT, np.int64)
        self._slot_of_pair = np.full((followed, 64), NO_SLOT, np.int32)
        self._keys, self._known = ClientKeys(params), known
        self._text: dict[int, str] = {}
        self._lookup = LookupCache()

    def resolve(self, rows: ClientRows) -> tuple[IntArray, IntArray, BoolArray]:
        """Slots of clients and of pairs, `NO_SLOT` where there is none, and whose client is new, each (rows,)."""
        self._lookup.hold_for((self.clients.generation, self._known.generation))
        clients, is_new = self._lookup.find(rows.client)
        missing = np.flatnonzero(clients == UNRESOLVED)
        if len(missing):
            clients[missing], is_new[missing] = self._admit_clients(rows, missing)
        return clients, self._pairs_of(clients, rows.target), is_new

    def _admit_clients(self, rows: ClientRows, missing: IntArray) -> tuple[IntArray, BoolArray]:
        """Give slots to the clients of these rows, in the order of their first row; each (missing,)."""
        distinct = pa.array(rows.client[missing]).dictionary_encode()
        keys, client = distinct.dictionary.to_numpy(), distinct.indices.to_numpy()
        slots, is_new = self.clients.admit(keys), self._known.note(keys)
        self._lookup.note(keys, slots, is_new)
        textual = self._keys.is_text(keys) & (slots != NO_SLOT)
        if textual.any():
            row = np.zeros(len(keys), np.int64)
            row[client[::-1]] = missing[::-1]  # of several the last assignment stays
            self._keep_texts(slots[textual], rows.texts.take(pa.array(row[textual])))
        return slots[client], is_new[client]

    def _keep_texts(self, slots: IntArray, texts: pa.Array) -> None:
        for slot, text in zip(slots.tolist(), texts.to_pylist(), strict=True):
            self._text.setdefault(slot, text[:LONGEST_NAME])

    def _pairs_of(self, clients: IntArray, target: IntArray) -> IntArray:
        pairs = np.full(len(clients), NO_SLOT, np.int64)
        followed = np.flatnonzero(self._seat[clients] != NO_SLOT)  # of NO_SLOT too: it is the last client's
        followed = followed[clients[followed] != NO_SLOT]
        if not len(followed):
            return pairs
        self._make_room_for_targets(int(target.max()) + 1)
        seat, target = self._seat[clients[followed]], target[followed]
        found = self._slot_of_pair[seat, target]
        if found.min() == NO_SLOT:
            self._admit_pairs(seat, target, np.flatnonzero(found == NO_SLOT))
            found = self._slot_of_pair[seat, target]
        pairs[followed] = found
        return pairs

    def _make_room_for_targets(self, targets: int) -> None:
        capacity = capacity_for(targets, self._slot_of_pair.shape[1])
        if capacity > self._slot_of_pair.shape[1]:
            self._slot_of_pair = widened(self._slot_of_pair, capacity, NO_SLOT)

    def _admit_pairs(self, seat: IntArray, target: IntArray, rows: IntArray) -> None:
        """Give places to the pairs of these rows, in the order of their first row, as long as there are any."""
        backwards = rows[::-1]
        self._slot_of_pair[seat[backwards], target[backwards]] = backwards  # of several the last assignment stays
        first = rows[self._slot_of_pair[seat[rows], target[rows]] == rows]
        slots = np.full(len(first), NO_SLOT)
        taken = self.pairs.take(len(first))
        slots[: len(taken)] = taken
        self._slot_of_pair[seat[first], target[first]] = slots
        first = first[: len(taken)]
        self.client_of_pair[taken], self.target_of_pair[taken] = self._seated[seat[first]], target[first]

    def follow(self, client_count: IntArray, least: int) -> IntArray:
        """Follow the busiest clients of at least so many requests; gives the slots of pairs that made room for them.

        A seat is taken from who is not half as busy, so that neighbours in the order do not change places all the time.
        """
        top = largest(client_count, len(self._seated), least)
        fresh = top[self._seat[top] == NO_SLOT]
        held = np.where(self._seated == NO_SLOT, -1, client_count[self._seated])
        seats = np.argsort(held, kind="stable")[: len(fresh)]
        fresh = fresh[client_count[fresh] > 2 * held[seats]]
        seats = seats[: len(fresh)]
        if not len(fresh):
            return NO_CLIENTS
        gone = self._pairs_at(seats)
        self._give_up_pairs(gone)
        left = self._seated[seats]
        self._seat[left[left != NO_SLOT]] = NO_SLOT
        self._seated[seats], self._seat[fresh] = fresh, seats
        return gone

    def _pairs_at(self, seats: IntArray) -> IntArray:
        slots = self._slot_of_pair[seats]
        found: IntArray = slots[slots != NO_SLOT].astype(np.int64)
        return found

    def _give_up_pairs(self, pairs: IntArray) -> None:
        self._slot_of_pair[self._seat[self.client_of_pair[pairs]], self.target_of_pair[pairs]] = NO_SLOT
        self.pairs.release(pairs)

    def make_room(self, client_count: IntArray, pair_count: IntArray) -> tuple[IntArray, IntArray]:
        """Give up the quietest where it is crowded, a client with its pairs; the slots of both that are free now."""
        clients = self.clients.pool.crowded_out(client_count)
        seats = self._seat[clients]
        pairs = self._pairs_at(seats[seats != NO_SLOT])
        self._give_up_pairs(pairs)
        self._seated[seats[seats != NO_SLOT]] = NO_SLOT
        self._seat[clients] = NO_SLOT
        self.clients.release(clients)
        more = self.pairs.crowded_out(pair_count)
        self._give_up_pairs(more)
        if self._text:
            for slot in clients.tolist():
                self._text.pop(slot, None)
        return clients, np.append(pairs, more)

    def client_key(self, client_slot: int) -> int:
        """A number that stays the same for the same client."""
        return int(self.clients.keys[client_slot])

    def name(self, client_slot: int) -> str:
        """Name of the client."""
        return self._keys.name(self.client_key(client_slot), self._text.get(client_slot, ""))
