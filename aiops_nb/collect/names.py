"""Host names and URLs as they are sent: internationalised names in their ASCII form, as browsers send them."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit

from aiops_nb.core.errors import ConfigError

_MAX_LABEL_CHARACTERS, _MAX_HOST_CHARACTERS = 63, 253
_KEPT = "%/:=&?~#+!$,;'@()*[]|"  # not escaped again, and what servers take unescaped


def ascii_host(host: str, where: str = "url") -> str:
    """The host in ASCII (UTS #46, not transitional), as browsers, curl with libidn2 and DNS have it.

    Labels in ASCII stay as they are, so that names with an underscore still work.

    Raises
    ------
    ConfigError
        Naming `where`, if it cannot be a name; the message shows the host.

    Examples
    --------
    >>> ascii_host("Bücher.example"), ascii_host("my_service"), ascii_host("faß.de")
    ('xn--bcher-kva.example', 'my_service', 'xn--fa-hia.de')
    """
    labels = [_ascii_label(label) for label in _mapped(host, where).split(".")]
    name = ".".join(labels)
    is_too_long = len(name) > _MAX_HOST_CHARACTERS or any(len(label) > _MAX_LABEL_CHARACTERS for label in labels)
    if is_too_long or not all(labels[:-1]) or not labels[0]:
        raise ConfigError.at(where, "a host name that can be written in ASCII", host)
    return name


def _mapped(host: str, where: str) -> str:
    if host.isascii():
        return host
    import idna

    try:
        return idna.uts46_remap(host, std3_rules=False, transitional=False)
    except (idna.IDNAError, UnicodeError, IndexError):
        raise ConfigError.at(where, "a host name that can be written in ASCII", host) from None


def _ascii_label(label: str) -> str:
    return label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"


def ascii_url(url: str) -> str:
    """The URL in ASCII: its host as `ascii_host` has it, other characters percent-encoded as UTF-8; no fragment.

    Raises
    ------
    ConfigError
        If the host cannot be a name.

    Examples
    --------
    >>> ascii_url("http://bücher.example:8080/ü?q=a b#top")
    'http://xn--bcher-kva.example:8080/%C3%BC?q=a%20b'
    """
    parts = urlsplit(url)
    userinfo, at, location = parts.netloc.rpartition("@")
    if location and not location.startswith("["):  # an address of IPv6
        host, colon, port = location.partition(":")
        location = f"{ascii_host(host)}{colon}{port}"
    path, query = (quote(part, safe=_KEPT) for part in (parts.path, parts.query))
    return urlunsplit((parts.scheme, f"{quote(userinfo, safe=_KEPT)}{at}{location}", path, query, ""))
