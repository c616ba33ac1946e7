"""The kind of a failed transfer, one word of `ErrorType`."""

from __future__ import annotations

from collections.abc import Mapping

from aiops_nb.core.schemas import ErrorType

# Numbers of libcurl's CURLcode: they never change (https://curl.se/libcurl/c/libcurl-errors.html),
# while the names that pycurl exports differ between versions.
_TLS_CODES = (35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91, 98)
_ERROR_OF_CODE: Mapping[int, ErrorType] = {
    28: "timeout",
    5: "dns",
    6: "dns",
    7: "connect",
    97: "connect",
    18: "reset",  # the connection ended before the announced length
    52: "reset",  # the connection ended before any reply
    55: "reset",
    **dict.fromkeys(_TLS_CODES, "tls"),
}
_RECEIVE_ERROR = 56


def classify_curl(code: int, os_errno: int) -> ErrorType:
    """Kind of a libcurl error.

    Whatever is not of the network is `protocol`: the peer spoke, and not proper HTTP. libcurl's receive error (56)
    covers both; only one of the network leaves an errno.

    Examples
    --------
    >>> classify_curl(7, 111), classify_curl(56, 104), classify_curl(56, 0), classify_curl(47, 0)
    ('connect', 'reset', 'protocol', 'protocol')
    """
    if code == _RECEIVE_ERROR:
        return "reset" if os_errno else "protocol"
    return _ERROR_OF_CODE.get(code, "protocol")
