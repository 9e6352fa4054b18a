"""Connections to Redis or Valkey from a URL: plain, TLS, or through Sentinel."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import AuthenticationError, AuthorizationError, ConnectionError, RedisError, TimeoutError
from redis.retry import Retry
from redis.sentinel import Sentinel

from workers.outage_retry import OutageRetry

CONNECT_TIMEOUT_S = 2.0
"""A server on the same network accepts in milliseconds; longer means that it is not there."""
ANSWER_TIMEOUT_S = 5.0
"""Longest silence inside one command; a server loading its file answers at once that it is loading."""
PATIENCE_S = 15.0
"""Longest outage that a call rides out: a restart or a Sentinel fail-over takes less."""
HEALTH_CHECK_S = 30
"""A connection idle for longer is tried with PING before use."""
SCHEMES = {
    "redis": "redis",
    "rediss": "rediss",
    "valkey": "redis",
    "valkeys": "rediss",
    "sentinel": "redis",
    "sentinels": "rediss",
}
"""Known schemes and redis-py's word for each; a final s means TLS."""
ENCODE = "special characters in a password are percent-encoded"


class StoreUnreachable(Exception):
    """The store's server doesn't answer; the text names its address, never its password."""


class LoginRefused(StoreUnreachable):
    """The store's server answers and takes no command of this login."""


def connect(url: str, *, master: str = "mymaster", patience_s: float = PATIENCE_S) -> Redis:
    """Return a client for the URL; nothing is sent before its first command.

    Every command gives up `patience_s` seconds after it began, and until then reconnects with growing pauses; a
    command under way when its connection breaks is sent again, so only repeatable ones belong on this client.
    For Sentinel write `sentinel://host:port/db;sentinel://host:port…`: user, password and database are the
    master's, `master` is its name. TLS options follow as a query (`?ssl_ca_certs=FILE`). Raises ValueError naming
    what is wrong with the URL.
    """
    addresses = [_parse(part) for part in _parts(url)]
    options = _options(patience_s)
    if url.startswith("sentinel"):
        return _through_sentinel(url, addresses, master, options)
    if len(addresses) > 1:
        raise ValueError(f"{address(url)}: several servers need sentinel://, one for each")
    return _built(Redis, url, options | addresses[0])


def reach(client: Redis, url: str) -> None:
    """Return when the server answers. Raises StoreUnreachable with one sentence for people if it doesn't."""
    try:
        client.ping()
    except (AuthenticationError, AuthorizationError) as error:
        raise LoginRefused(f"Valkey at {address(url)} refused the login: {error}") from error
    except (ConnectionError, TimeoutError) as error:
        # redis-py adds every Sentinel's settings after a colon; the first part is what people can use.
        why = str(error).split(" : ")[0].rstrip(".")
        message = f"Valkey at {address(url)} does not answer: {why}; start it or correct the address"
        raise StoreUnreachable(message) from error
    except RedisError as error:
        raise StoreUnreachable(f"Valkey at {address(url)} can't be used: {error}") from error


def login(url: str) -> str:
    """Return the name of the user in the URL; empty where it names none."""
    return unquote(urlsplit(_parts(url)[0]).username or "")


def address(url: str) -> str:
    """Return the URL's hosts, ports and databases, fit for messages: nothing of user, password and options."""
    shown = []
    for part in _parts(url):
        scheme, _, rest = part.partition("://")
        shown.append(f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}" if rest else "(no address)")
    return ";".join(shown)


def _parts(url: str) -> list[str]:
    """Split at what begins a further server, not at a semicolon within a password."""
    return re.split(rf";(?=(?:{'|'.join(SCHEMES)})://)", url.rstrip(";"))


def _parse(part: str) -> dict[str, Any]:
    scheme, separator, rest = part.partition("://")
    if not separator or scheme not in SCHEMES:
        raise ValueError(f"{address(part)}: the store's URL begins with one of {', '.join(SCHEMES)}")
    database = urlsplit(part).path.strip("/")
    if database and not database.isdecimal():
        raise ValueError(f"{address(part)}: what follows the host is a database number; {ENCODE}")
    try:
        options: dict[str, Any] = parse_url(f"{SCHEMES[scheme]}://{rest}")  # type: ignore[no-untyped-call]
    except ValueError:
        # The parser's own words may quote a piece of the password.
        raise ValueError(f"{address(part)}: port, database or an option is malformed; {ENCODE}") from None
    if options.pop("connection_class", None) is not None:
        options["ssl"] = True
    if "ssl_cert_reqs" in options:
        # Celery's URLs spell it CERT_REQUIRED, and one URL should do for both.
        options["ssl_cert_reqs"] = options["ssl_cert_reqs"].removeprefix("CERT_").lower()
    return options


def _options(patience_s: float) -> dict[str, Any]:
    return {
        "decode_responses": True,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": ANSWER_TIMEOUT_S,
        "socket_keepalive": True,
        "health_check_interval": HEALTH_CHECK_S,
        "retry": OutageRetry(patience_s),
    }


def _through_sentinel(url: str, addresses: list[dict[str, Any]], master: str, options: dict[str, Any]) -> Redis:
    """Every Sentinel is asked once and without login: the next one, or the command's own retry, is the remedy."""
    sentinels = [(part.get("host", "localhost"), part.get("port", 26379)) for part in addresses]
    shared = options | {key: value for key, value in addresses[0].items() if key not in ("host", "port")}
    asking = {key: value for key, value in shared.items() if key.startswith(("socket_", "ssl"))}
    asking |= {"decode_responses": True, "retry": Retry(NoBackoff(), 0)}
    guard = Sentinel(sentinels, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
    return _built(partial(guard.master_for, master), url, shared)


def _built(build: Callable[..., Redis], url: str, options: dict[str, Any]) -> Redis:
    try:
        return build(**options)
    except TypeError as error:
        raise ValueError(f"{address(url)}: unknown option in the URL's query: {error}") from None
