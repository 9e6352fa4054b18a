"""What a trusted proxy says of a request: from which address it came, and who has logged in there."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.requests import Request

from web.options import WebOptions

MOST_NAME = 200


class UserNotBelieved(Exception):
    """The request names a user in a way that proves nothing; the message says why and what to do."""


class Proxies:
    """Believes headers of the proxies that settings name, and of no other peer."""

    def __init__(self, options: WebOptions) -> None:
        self._networks = options.trusted_proxies
        self._header = options.proxy_header

    def address_of(self, request: Request) -> str:
        """Return where the request came from: the peer, or what trusted proxies saw before them."""
        address = _read(request.client.host if request.client else "")
        for entry in reversed(",".join(request.headers.getlist("x-forwarded-for")).split(",")):
            earlier = _read(entry.strip())
            if earlier is None or not self._is_trusted(address):
                break
            address = earlier
        return str(address) if address else ""

    def user_of(self, request: Request) -> str:
        """Return who has logged in at a trusted proxy; empty for nobody. Raises UserNotBelieved."""
        values = request.headers.getlist(self._header) if self._header else []
        if not values:
            return ""
        if not self._is_trusted(_read(request.client.host if request.client else "")):
            raise UserNotBelieved(
                f"{self._header} names a user, but comes from none of CONCLAVE_WEB_TRUSTED_PROXIES."
            )
        if len(values) > 1:
            raise UserNotBelieved(f"{self._header} came twice; have the proxy replace what it is sent.")
        return _name(values[0], self._header)

    def _is_trusted(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _name(value: str, header: str) -> str:
    """Read a user's name as UTF-8, of which starlette's headers show each byte as a letter."""
    try:
        name = value.encode("latin-1").decode().strip()
    except UnicodeDecodeError as error:
        raise UserNotBelieved(f"{header} is not UTF-8.") from error
    if len(name) > MOST_NAME or not name.isprintable():
        raise UserNotBelieved(f"{header} holds no name that can be shown.")
    return name
