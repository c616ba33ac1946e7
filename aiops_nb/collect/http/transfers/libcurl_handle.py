"""The libcurl that pycurl brought, called directly, so that a body never passes through Python.

pycurl takes the interpreter lock for every piece of a body. Under a notebook that computes, that wait (5 ms and more)
would be measured as the service's. Here libcurl writes the body to the null device by itself, and the lock is taken
again only when the transfer is over. Where the library's functions cannot be reached (a static build, Windows),
`load` returns None, and pycurl is used.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pycurl

from aiops_nb.collect.http.transfers.exchange import header_text
from aiops_nb.collect.http.transfers.pycurl_handle import Settings

_COPYPOSTFIELDS = 10_165
_POSTFIELDSIZE = 60
_ERRORBUFFER = 10_010
_ERROR_BYTES = 256  # CURL_ERROR_SIZE
_MAXFILESIZE_LARGE = 30_117
_FILESIZE_EXCEEDED = 63
_WRITE_ERROR = 23
_OF_FINAL_REPLY, _LAST_REQUEST = 1, -1  # CURLH_HEADER: neither trailers nor interim replies
_SIZE_DOWNLOAD_T = 0x600008
_INFO_KINDS: dict[int, Any] = {0x2: ctypes.c_long, 0x3: ctypes.c_double, 0x6: ctypes.c_longlong}
_PROGRESS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, *[ctypes.c_longlong] * 4)


class _List(ctypes.Structure):
    """A linked list of strings (curl_slist)."""


_List._fields_ = [("data", ctypes.c_char_p), ("next", ctypes.POINTER(_List))]


class _Certificates(ctypes.Structure):
    """A chain of certificates, each a list of `field:value` (curl_certinfo)."""

    _fields_ = (("count", ctypes.c_int), ("chain", ctypes.POINTER(ctypes.POINTER(_List))))


class _Header(ctypes.Structure):
    """A header of a reply (curl_header)."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("value", ctypes.c_char_p),
        ("amount", ctypes.c_size_t),
        ("index", ctypes.c_size_t),
        ("origin", ctypes.c_uint),
        ("anchor", ctypes.c_void_p),
    )


class Library:
    """Functions of libcurl.

    All but `perform` and `cleanup` keep the interpreter lock: they are quick, and to give it away between two options
    would cost a wait each time.
    """

    def __init__(self, path: str) -> None:
        quick, slow, standard = ctypes.PyDLL(path), ctypes.CDLL(path), ctypes.CDLL(None)
        handle, code = ctypes.c_void_p, ctypes.c_int
        self.version = _function(quick, "curl_version", ctypes.c_char_p)
        self.init = _function(quick, "curl_easy_init", handle)
        self.reset = _function(quick, "curl_easy_reset", None, handle)
        self.setopt = _function(quick, "curl_easy_setopt", code, handle, code)
        self.getinfo = _function(quick, "curl_easy_getinfo", code, handle, code)
        place = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, code)  # name, index, origin, request
        found = ctypes.POINTER(ctypes.POINTER(_Header))
        self.header = _function(quick, "curl_easy_header", code, handle, *place, found)  # since libcurl 7.84
        self.append = _function(quick, "curl_slist_append", handle, handle, ctypes.c_char_p)
        self.free_list = _function(quick, "curl_slist_free_all", None, handle)
        self.perform = _function(slow, "curl_easy_perform", code, handle)
        self.cleanup = _function(slow, "curl_easy_cleanup", None, handle)
        memory = ctypes.PyDLL(None)
        self.open_memory = _function(memory, "fmemopen", handle, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p)
        self.flush = _function(memory, "fflush", ctypes.c_int, handle)
        self.position = _function(memory, "ftell", ctypes.c_long, handle)
        self.close_file = _function(memory, "fclose", ctypes.c_int, handle)
        # libcurl's default is to write the body to this file with the C library's fwrite
        self.null_file = _function(standard, "fopen", handle, ctypes.c_char_p, ctypes.c_char_p)(
            os.devnull.encode(), b"wb"
        )


def _function(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Any:
    function = library[name]  # not by attribute: a new object, whose types are ours alone
    function.restype, function.argtypes = result, list(arguments)
    return function


@cache
def load() -> Library | None:
    """The library that pycurl uses, or None where it cannot be called directly."""
    if sys.platform == "win32":  # a file of one C library cannot be handed to another
        return None
    path = getattr(sys.modules.get("pycurl._pycurl", pycurl), "__file__", None)
    try:
        library = Library(str(path))
    except (OSError, AttributeError):
        return None
    is_the_same = library.version().decode("ascii", "replace") in pycurl.version
    return library if is_the_same and library.null_file else None


class LibcurlHandle:
    """A handle of libcurl whose bodies go nowhere, or into memory of a fixed size."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._handle: ctypes.c_void_p | None = ctypes.c_void_p(library.init())
        self._settings: Settings | None = None
        self._lines: int | None = None
        self._code = 0
        self._info = {kind: _place(value()) for kind, value in _INFO_KINDS.items()}
        self._memory: ctypes.Array[ctypes.c_char] | None = None
        self._body: bytes | None = None
        self._error = ctypes.create_string_buffer(_ERROR_BYTES)

    def ask(self, url: bytes, settings: Settings, is_closing: Callable[[], bool] | None) -> int:
        """Transfer once; see `CurlHandle`.

        Settings that are the very object of the last time stay as they are.
        """
        library, handle = self._library, self._handle
        if settings is not self._settings:
            self._prepare(settings)
        library.setopt(handle, pycurl.URL, url)
        if is_closing is None and not settings.keeps_body:
            self._code = library.perform(handle)
        else:
            self._perform(settings, is_closing)
        return 0 if self._code == _FILESIZE_EXCEEDED else self._code

    def _prepare(self, settings: Settings) -> None:
        library, handle = self._library, self._handle
        self._settings = None
        library.reset(handle)
        for option, value in settings.options:
            self._set(option, value)
        self._set_lines(settings.header_lines)
        library.setopt(handle, _ERRORBUFFER, self._error)
        library.setopt(handle, pycurl.WRITEDATA, ctypes.c_void_p(library.null_file))
        library.setopt(handle, _MAXFILESIZE_LARGE, ctypes.c_longlong(settings.max_body_bytes))
        self._settings, self._body = settings, None

    def _perform(self, settings: Settings, is_closing: Callable[[], bool] | None) -> None:
        self._settings = None  # what is set here holds for this once
        progress = self._watch(is_closing)
        file = self._memory_file(settings.max_body_bytes) if settings.keeps_body else None
        if file is not None:
            self._library.setopt(self._handle, pycurl.WRITEDATA, ctypes.c_void_p(file))
        self._code = self._library.perform(self._handle)
        del progress  # libcurl held it until here
        if file is not None:
            self._body = self._take_memory(file, settings.max_body_bytes)

    def _memory_file(self, max_body_bytes: int) -> int:
        size = max_body_bytes + 2  # one byte too many is seen as such; the C library ends with a NUL
        if self._memory is None or len(self._memory) < size:
            self._memory = ctypes.create_string_buffer(size)
        file: int | None = self._library.open_memory(ctypes.addressof(self._memory), len(self._memory), b"w")
        if not file:
            raise MemoryError
        return file

    def _take_memory(self, file: int, max_body_bytes: int) -> bytes | None:
        library, memory = self._library, self._memory
        is_full = library.flush(file) != 0
        length = library.position(file)
        library.close_file(file)
        if is_full or length > max_body_bytes or self._code == _WRITE_ERROR:
            self._code = _FILESIZE_EXCEEDED
        return None if memory is None or self._code == _FILESIZE_EXCEEDED else ctypes.string_at(memory, length)

    @property
    def body(self) -> bytes | None:
        """The last body; None when it was not to be kept, or reading stopped at the limit."""
        return self._body

    def _set(self, option: int, value: int | str | bytes) -> None:
        library, handle = self._library, self._handle
        if isinstance(value, int):
            library.setopt(handle, option, ctypes.c_long(value))
            return
        text = value.encode() if isinstance(value, str) else value
        if option == pycurl.POSTFIELDS:
            library.setopt(handle, _POSTFIELDSIZE, ctypes.c_long(len(text)))
            option = _COPYPOSTFIELDS
        library.setopt(handle, option, ctypes.c_char_p(text))

    def _watch(self, is_closing: Callable[[], bool] | None) -> Any:
        if is_closing is None:
            return None
        progress = _PROGRESS(lambda *_: int(is_closing()))
        self._library.setopt(self._handle, pycurl.NOPROGRESS, ctypes.c_long(0))
        self._library.setopt(self._handle, pycurl.XFERINFOFUNCTION, progress)
        return progress

    def _set_lines(self, header_lines: Sequence[bytes]) -> None:
        self._library.free_list(self._lines)
        self._lines = None
        for line in header_lines:
            self._lines = self._library.append(self._lines, line)
        self._library.setopt(self._handle, pycurl.HTTPHEADER, ctypes.c_void_p(self._lines))

    @property
    def received_bytes(self) -> int | None:
        """Size of the last body; None when reading stopped at the limit."""
        return None if self._code == _FILESIZE_EXCEEDED else int(self.getinfo(_SIZE_DOWNLOAD_T))

    @property
    def error_text(self) -> str:
        """Why the last transfer failed, in libcurl's words; empty if it did not."""
        return self._error.value.decode("utf-8", "replace")

    def header_values(self, name: str) -> list[str]:
        """The values of a header of the last reply, by its lower-case name."""
        values: list[str] = []
        found = ctypes.POINTER(_Header)()
        place = (_OF_FINAL_REPLY, _LAST_REQUEST, ctypes.byref(found))
        while self._library.header(self._handle, name.encode(), len(values), *place) == 0:
            values.append(header_text(found.contents.value or b""))
        return values

    def getinfo(self, info: int) -> Any:
        """What libcurl says of the last transfer, as pycurl would."""
        if info == pycurl.INFO_CERTINFO:
            return self._certificates()
        value, place = self._info[info >> 20]
        value.value = 0
        self._library.getinfo(self._handle, info, place)
        return value.value

    def _certificates(self) -> list[list[tuple[str, str]]]:
        found = ctypes.POINTER(_Certificates)()
        self._library.getinfo(self._handle, pycurl.INFO_CERTINFO, ctypes.byref(found))
        if not found:
            return []
        return [list(_fields(found.contents.chain[place])) for place in range(found.contents.count)]

    def close(self) -> None:
        """Release the handle and its connection."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._library.cleanup(handle)
            self._library.free_list(self._lines)


def _place(value: Any) -> tuple[Any, Any]:
    return value, ctypes.byref(value)


def _fields(node: Any) -> Any:
    while node:
        name, _, value = (node.contents.data or b"").decode("utf-8", "replace").partition(":")
        yield name, value
        node = node.contents.next
