"""The store's URL as every client reads it alike: kombu, Celery, Flower and redis-py."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

ENCODE = "special characters in a password are percent-encoded"


def one_database(url: str) -> str:
    """Return a URL as kombu, Celery, Flower and redis-py read it alike: redis://, one number for all servers.

    Raises ValueError in one sentence, without a piece of the URL, for a database that is no number, or not one.
    """
    # kombu, Celery and Flower know no valkey://.
    text = url.rstrip("/;").replace("valkey://", "redis://").replace("valkeys://", "rediss://")
    servers = re.split(r";(?=[a-z]+://)", text)
    numbers = {number for server in servers if (number := _database(server))}
    if len(numbers) > 1:
        raise ValueError(f"the servers name different databases, {' and '.join(sorted(numbers))}; name one")
    return ";".join(_with_database(server, *numbers) for server in servers)


def _database(server: str) -> str:
    try:
        parts = urlsplit(server)
    except ValueError:
        # Its own words may quote a piece of the password.
        raise ValueError(f"the host can't be understood; {ENCODE}") from None
    number = parts.path.strip("/")
    if number and not number.isdecimal():
        raise ValueError(f"what follows the host must be the number of a database, as in redis://host/3; {ENCODE}")
    if "db" in parse_qs(parts.query):
        raise ValueError("the database stands behind the host, as in redis://host/3, not in an option")
    return number


def _with_database(server: str, number: str = "") -> str:
    address, mark, query = server.partition("?")
    scheme, _, rest = address.partition("://")
    host = rest.partition("/")[0]
    return f"{scheme}://{host}{'/' if number else ''}{number}{mark}{query}"
