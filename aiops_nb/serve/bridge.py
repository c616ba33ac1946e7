"""Widgets in a process without a kernel: their messages go to every viewer, and come back from each."""

from __future__ import annotations

import hashlib
import logging
import struct
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
from comm.base_comm import BaseComm

_log = logging.getLogger(__name__)
_LENGTH = struct.Struct(">I")
SCRIPT = "_esm"


class Viewer(Protocol):
    """A page that shows the widgets."""

    def put(self, frame: bytes) -> None:
        """Send a frame, in the order of these calls; from any thread."""
        ...


def packed(header: Mapping[str, Any], buffers: Sequence[Any] = ()) -> bytes:
    """One frame: the length of the header, the header as JSON, the buffers.

    Examples
    --------
    >>> unpacked(packed({"kind": "beat"}, [b"ab", b"c"]))
    ({'kind': 'beat'}, [b'ab', b'c'])
    """
    parts = [memoryview(buffer).cast("B") for buffer in buffers]
    head = msgspec.json.encode({**header, "lengths": [part.nbytes for part in parts]})  # NaN becomes null
    return b"".join([_LENGTH.pack(len(head)), head, *parts])


def unpacked(frame: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Header and buffers of a frame.

    Raises
    ------
    ValueError
        If it is not a frame.
    """
    if len(frame) < _LENGTH.size:
        raise ValueError("expected a frame")
    at = _LENGTH.size + _LENGTH.unpack_from(frame)[0]
    header = msgspec.json.decode(frame[_LENGTH.size : at], type=dict[str, Any])
    buffers = []
    for length in msgspec.convert(header.pop("lengths", []), list[int]):
        if not 0 <= length <= len(frame) - at:
            raise ValueError("expected buffers of these lengths")
        buffers.append(frame[at : at + length])
        at += length
    return header, buffers


class Bridge:
    """Makes the comms of widgets, and shares each message between all viewers.

    All viewers see one set of widgets, as all views of a notebook do: range, selection and filters are common.

    Attributes
    ----------
    scripts
        The front end of our widgets, by the SHA-256 of its text: a page loads it by URL, which its policy allows.
    """

    def __init__(self) -> None:
        self.scripts: dict[str, str] = {}
        self._comms: dict[str, PageComm] = {}
        self._viewers: list[Viewer] = []
        self._lock = threading.RLock()
        self._to_one = threading.local()

    def create_comm(self, *arguments: Any, **named: Any) -> PageComm:
        """A comm of a new widget; takes the place of `comm.create_comm`."""
        return PageComm(self, *arguments, **named)

    def attach(self, viewer: Viewer) -> None:
        """Send a viewer the state of every widget, and from now on every message."""
        with self._lock:
            self._viewers.append(viewer)
            comms = list(self._comms.values())
        self._to_one.viewer = viewer
        try:
            for one in comms:
                one.deliver({"method": "request_state"}, [])
        finally:
            self._to_one.viewer = None

    def detach(self, viewer: Viewer) -> None:
        """Send it nothing more; unknown ones are ignored."""
        with self._lock:
            if viewer in self._viewers:
                self._viewers.remove(viewer)

    def receive(self, viewer: Viewer, frame: bytes) -> None:
        """Take a message of a page; changed values are passed on to the other viewers.

        Raises
        ------
        ValueError
            If it is no message of a widget.
        """
        header, buffers = unpacked(frame)
        data = header.get("data")
        with self._lock:
            one = self._comms.get(str(header.get("comm")))
            others = [other for other in self._viewers if other is not viewer]
        if one is None:
            return  # closed since
        if not isinstance(data, dict) or data.get("method") not in ("update", "custom"):
            raise ValueError("expected a message of a widget")
        if data["method"] == "update":
            for other in others:
                other.put(packed({"kind": "msg", "comm": one.comm_id, "data": data}, buffers))
        one.deliver(data, buffers)

    def publish(self, one: PageComm, kind: str, data: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """Send a message of a widget to all viewers, or to the one that asked for the state."""
        with self._lock:
            if kind == "close":
                self._comms.pop(one.comm_id, None)
            else:
                self._comms[one.comm_id] = one
            viewer = getattr(self._to_one, "viewer", None)
            viewers = [viewer] if viewer is not None else self._viewers
            if viewers:
                frame = packed({"kind": kind, "comm": one.comm_id, "data": self._by_url(data)}, buffers)
                for each in viewers:
                    each.put(frame)

    def _by_url(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The message with the name of its script in place of the script."""
        state = data.get("state")
        if not isinstance(state, Mapping) or SCRIPT not in state:
            return data
        text = str(state[SCRIPT])
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.scripts[digest] = text
        return {**data, "state": {**state, SCRIPT: digest}}


class PageComm(BaseComm):
    """The comm of one widget."""

    def __init__(self, bridge: Bridge, *arguments: Any, **named: Any) -> None:
        self._bridge = bridge
        super().__init__(*arguments, **named)

    def publish_msg(
        self,
        msg_type: str,
        data: Mapping[str, Any] | None = None,
        metadata: object = None,
        buffers: Sequence[Any] | None = None,
        **_keys: Any,
    ) -> None:
        """Send a message of the Jupyter protocol."""
        self._bridge.publish(self, msg_type.removeprefix("comm_"), data or {}, buffers or ())

    def deliver(self, data: Mapping[str, Any], buffers: Sequence[bytes]) -> None:
        """Hand a message of a page to the widget."""
        self.handle_msg({"content": {"data": data}, "buffers": [memoryview(buffer) for buffer in buffers]})
