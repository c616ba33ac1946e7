"""One POST of JSON: which failures pass, which do not, and how long the receiver asks us to wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import msgspec

from aiops_nb.core.urls import mask_url
from aiops_nb.notify.channels.hiding import quiet_libraries, secrets_of_url, without_secrets
from aiops_nb.notify.message import DeliveryError, RejectedError

if TYPE_CHECKING:
    import requests

MAX_RETRY_AFTER_SECONDS = 3600.0
MAX_ANSWER_BYTES = 65_536
_PASSING = (408, 425, 429)


class Poster:
    """POSTs JSON over one kept connection; no redirect is followed, so no secret goes to another host.

    Parameters
    ----------
    timeout_seconds
        For connecting, and for each wait for bytes.

    Examples
    --------
    >>> poster = Poster(timeout_seconds=1.0)
    >>> poster.close()
    """

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._session: requests.Session | None = None

    def post(
        self,
        url: str,
        payload: object,
        headers: Mapping[str, str] | None = None,
        shown: str = "",
        *,
        form: bool = False,
        hide: Sequence[str] = (),
    ) -> Any:
        """POST; returns the decoded answer, the text if it is no JSON.

        Parameters
        ----------
        url, payload, headers
            Where, what (encoded as JSON), and further headers.
        form
            Whether the payload is a mapping to be encoded as a form.
        shown
            How errors name the receiver, for a URL that is secret; empty: the URL without user, password and query.
        hide
            Secrets of the payload: a receiver may repeat them in its answer. Those of the URL and of the headers are
            hidden anyway.

        Raises
        ------
        DeliveryError
            No connection, no answer in time, 408, 425, 429 or 5xx.
        RejectedError
            Any other answer but 2xx.
        """
        body = payload if form else msgspec.json.encode(payload)
        kind = {} if form else {"Content-Type": "application/json"}
        return self._post(url, body, {**kind, **(headers or {})}, shown, [*hide, *_secret_values(headers or {})])

    def upload(self, url: str, content: bytes, shown: str) -> None:
        """POST bytes as they are; raises as `post` does."""
        self._post(url, content, {"Content-Type": "application/octet-stream"}, shown, ())

    def _post(self, url: str, body: Any, headers: Mapping[str, str], shown: str, hide: Sequence[str]) -> Any:
        import requests

        place = shown or mask_url(url)
        secrets = [*hide, *secrets_of_url(url, with_path=bool(shown))]
        if self._session is None:
            self._session = requests.Session()
        try:
            with (
                quiet_libraries(),
                self._session.post(
                    url,
                    data=body,
                    headers={"User-Agent": "aiops-nb", **headers},
                    timeout=self._timeout_seconds,
                    allow_redirects=False,
                    stream=True,
                ) as answer,
            ):
                text = _limited_text(answer)
                _check(answer, without_secrets(text, secrets), place)
        except requests.Timeout:
            raise DeliveryError(f"{place}: no answer within {self._timeout_seconds:g} s") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema):
            raise RejectedError(f"{place}: expected an http or https URL") from None
        except requests.RequestException as problem:
            raise DeliveryError(f"{place}: {_why(problem)}") from None
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text

    def close(self) -> None:
        """Close the connection; may be called twice."""
        session, self._session = self._session, None
        if session is not None:
            session.close()


def _secret_values(headers: Mapping[str, str]) -> list[str]:
    return [value for name, value in headers.items() if name.lower() not in ("content-type", "accept")]


def _limited_text(answer: requests.Response) -> str:
    raw = answer.raw.read(MAX_ANSWER_BYTES, decode_content=True) or b""
    text: str = raw.decode("utf-8", "replace")
    return text


def _check(answer: requests.Response, text: str, place: str) -> None:
    status = answer.status_code
    if 200 <= status < 300:
        return
    reason = f"{place}: answered {status}" + (f" ({one_line(text)})" if text.strip() else "")
    if status in _PASSING or status >= 500:
        raise DeliveryError(reason, retry_after_seconds(answer.headers.get("Retry-After")))
    raise RejectedError(reason)


def retry_after_seconds(header: str | None, now: datetime | None = None) -> float | None:
    """How long to wait by a `Retry-After` header: seconds or a date (RFC 9110, 10.2.3); at most one hour.

    Examples
    --------
    >>> retry_after_seconds("7"), retry_after_seconds("soon"), retry_after_seconds(None), retry_after_seconds("1e9")
    (7.0, None, None, None)
    """
    if header is None:
        return None
    if header.strip().isdigit():
        return min(float(header), MAX_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def one_line(text: str, longest: int = 200) -> str:
    r"""Text of a receiver as one printable line.

    Examples
    --------
    >>> one_line("bad\n  token\x1b[31m")
    'bad token[31m'
    """
    line = " ".join("".join(sign for sign in text if sign.isprintable() or sign.isspace()).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _why(problem: Exception) -> str:
    """The kind of failure, never the text of the library, which holds the URL."""
    names = {"ConnectTimeout": "no connection in time", "SSLError": "TLS failed", "ProxyError": "the proxy failed"}
    return names.get(type(problem).__name__, "connection failed")
