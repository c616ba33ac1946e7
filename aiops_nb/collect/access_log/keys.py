"""Names of fields: what loggers call the time, the path, the status, the duration; and in which unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from aiops_nb.core.errors import unknown

DURATION_UNITS: Mapping[str, float] = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}  # in a second
DURATION_FIELDS: Mapping[str, float] = {
    "duration_seconds": 1.0,
    "duration_ms": 1e3,
    "duration_us": 1e6,
    "duration_ns": 1e9,
}
# A number whose name says no unit. nginx's `$request_time` is seconds with decimals; other loggers use the same name.
UNITLESS_FIELDS = ("request_time", "duration")
FIELDS = (
    "time",
    "start_time",
    "client_ip",
    "method",
    "path",
    "request",
    "status_code",
    "response_bytes",
    *DURATION_FIELDS,
    *UNITLESS_FIELDS,
    "target",
    "error_type",
)


def _words(text: str) -> list[str]:
    return text.split()


# Normalised names by field; of several in one line the first wins, and the next fills what it left open.
_NAMES: Mapping[str, str] = {
    "time": "time timestamp ts time_local time_iso8601 msec datetime date_time event_time end_time log_time time_utc "
    "asctime t logged_at request_time_epoch timestamp_ms time_ms ts_ms epoch epoch_ms edge_end_timestamp end_timestamp",
    "start_time": "start_time start_utc start_local started_at start start_timestamp request_start_time "
    "request_received_at edge_start_timestamp",
    "client_ip": "client_ip remote_addr remote_ip ip client_host client_addr client remote_host remote_address "
    "client_address remoteaddr clientip remoteip c_ip source_ip src_ip source_address real_ip x_real_ip "
    "request_client_ip request_remote_ip request_remote_addr req_remote_address req_ip req_client_ip "
    "http_request_remote_ip downstream_remote_address client_ip_address request_ip peer_addr fwd "
    "http_x_forwarded_for x_forwarded_for forwarded_for",  # what a client can write itself: only where nothing else is
    "method": "method request_method http_method verb http_verb cs_method req_method http_request_method "
    "http_request_request_method client_request_method request_verb",
    "path": "path uri request_uri request_path url url_path url_original url_full request_url cs_uri_stem req_url "
    "req_path http_path http_url http_target request_uri_path client_request_uri http_request_request_url endpoint "
    "requested_url requested_uri original_url req_uri",
    "request": "request request_line http_request req httprequest route_key",
    "status_code": "status status_code response_code response_status response_status_code http_status "
    "http_status_code http_response_status_code http_code sc_status res_status_code res_status resp_status "
    "downstream_status edge_response_status http_request_status httpstatus",
    "response_bytes": "response_bytes body_bytes_sent bytes_sent bytes size bytes_out bytes_written response_size "
    "response_length response_body_size content_length body_bytes sc_bytes downstream_content_size resp_size "
    "http_response_body_bytes http_response_bytes http_response_body_size res_content_length "
    "http_request_response_size edge_response_bytes",
    "duration_ms": "upstream_duration_ms latencies_request",
    "duration_ns": "event_duration",
    "target": "target",
    "error_type": "error_type",
}
FIELD_OF: Mapping[str, str] = {name: field for field, names in _NAMES.items() for name in _words(names)}
_RANK: Mapping[str, int] = {name: rank for rank, name in enumerate(FIELD_OF)}
_DURATIONS = frozenset(
    _words(
        "duration request_duration response_duration total_duration http_duration response_time resp_time res_time "
        "req_time latency request_latency response_latency http_request_latency total_latency elapsed elapsed_time "
        "took time_taken time_elapsed process_time processing_time total_time dur runtime run_time execution_time rt "
        "duration_human latency_human latency_time request_time request_time_total request_processing_time"
    )
)
_UNIT_OF_SUFFIX: Mapping[str, str] = {
    **dict.fromkeys(_words("s sec secs second seconds"), "duration_seconds"),
    **dict.fromkeys(_words("ms msec msecs milli millis millisecond milliseconds"), "duration_ms"),
    **dict.fromkeys(_words("us usec usecs micro micros microsecond microseconds"), "duration_us"),
    **dict.fromkeys(_words("ns nsec nsecs nano nanos nanosecond nanoseconds"), "duration_ns"),
}
_WORD_BEGIN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BETWEEN = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=4096)
def normalised(name: str) -> str:
    """A name in lower case, its words joined by underscores.

    Examples
    --------
    >>> [normalised(name) for name in ("statusCode", "@timestamp", "http.request.method", "StartUTC", "c-ip")]
    ['status_code', 'timestamp', 'http_request_method', 'start_utc', 'c_ip']
    """
    return _BETWEEN.sub("_", _WORD_BEGIN.sub("_", name[:100]).lower()).strip("_")


@lru_cache(maxsize=4096)
def field_of(name: str) -> str | None:
    """The field that a variable, a key or a group of this name is; None if the name is not known.

    Examples
    --------
    >>> [field_of(name) for name in ("RequestMethod", "duration_ms", "elapsedMicros", "took", "request_time", "zone")]
    ['method', 'duration_ms', 'duration_us', 'duration', 'request_time', None]
    """
    plain = normalised(name)
    if plain in FIELD_OF:
        return FIELD_OF[plain]
    if plain in _DURATIONS:
        return "request_time" if plain == "request_time" else "duration"
    stem, _, suffix = plain.rpartition("_")
    if stem in _DURATIONS and suffix in _UNIT_OF_SUFFIX:
        return _UNIT_OF_SUFFIX[suffix]
    return None


_WRAPPERS = frozenset(
    _words("meta properties proxy data fields context attributes payload json_payload access extra http_log record")
)


def field_of_path(path: tuple[str, ...]) -> str | None:
    """The field of a key inside objects, the outer one of which may only group them.

    Examples
    --------
    >>> field_of_path(("meta", "req", "method")), field_of_path(("request", "uri")), field_of_path(("a", "status"))
    ('method', 'path', None)
    """
    field = field_of(".".join(path))
    if field is None and len(path) > 1 and normalised(path[0]) in _WRAPPERS:
        return field_of_path(path[1:])
    return field


def rank_of(name: str) -> int:
    """Which of several names of one field wins: the least. A duration in words says its unit."""
    plain = normalised(name)
    return -1 if plain.endswith("_human") else _RANK.get(plain, len(_RANK))


def checked_fields(fields: Mapping[str, str] | None) -> dict[str, str]:
    """Field by name as it is in the log, from the name by field that a user chose.

    Raises
    ------
    ConfigError
        If there is no such field, or two fields have one name.

    Examples
    --------
    >>> checked_fields({"status": "sc", "duration_ms": "took"})
    {'sc': 'status_code', 'took': 'duration_ms'}
    """
    chosen: dict[str, str] = {}
    for wanted, name in (fields or {}).items():
        field = wanted if wanted in FIELDS else field_of(wanted)
        if field is None:
            raise unknown("fields", "names of fields", wanted, FIELDS)
        if name in chosen:
            raise unknown("fields", f"one field for {name}", wanted, FIELDS)
        chosen[name] = field
    return chosen


def family_of(field: str) -> str:
    """Fields of which one line needs one: all durations are a family, as are the times."""
    if field in DURATION_FIELDS or field in UNITLESS_FIELDS:
        return "duration"
    return "time" if field == "start_time" else field
