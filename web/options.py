"""The options of the page, as values that settings hold; nothing here speaks HTTP."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from domain.rights import MEMBER, Right
from domain.value import Name, Value

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
EVERYBODY_ELSE = "*"


class WebOptions(Value):
    """Where the page is served, and to whom."""

    host: str = "127.0.0.1"
    """The address it listens on. One that other hosts reach is refused without `CONCLAVE_WEB_USERS` or
    `CONCLAVE_WEB_PROXY_HEADER`."""
    port: int = Field(default=8400, ge=1, le=65_535)
    """Its port."""
    users: dict[Name, SecretStr] = {}
    """Who may log in, each with the hash of a password that `conclave password` prints, as JSON:
    {"ada": "$argon2id$…"}. None: there is no login, and only this host is served."""
    proxy_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]*$")
    """The header in which a trusted proxy names who has logged in there: X-Forwarded-User. Empty: none."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(default=(), validate_default=True)
    """Addresses and networks of proxies whose headers are believed, the one above and X-Forwarded-For, as JSON:
    ["10.0.0.7", "10.1.0.0/16"]."""
    rights: dict[Name, frozenset[Right]] = {}
    """What each user may do, of read, approve, judge and operate, as JSON: {"ada": ["read", "judge"]}. "*" is all
    whom it does not name: read, approve and judge unless it says otherwise."""
    secret: SecretStr = SecretStr("")
    """Signs the cookies of those who logged in, 32 characters or more; empty: a new one at each start, which ends
    all sessions. Several processes behind one address need the same."""
    session_s: float = Field(default=12 * 3600.0, gt=0)
    """How long a login lasts: a working day."""
    approvals_per_minute: int = Field(default=30, ge=1)
    """How many plans and questions one caller may send within a minute: a program that asks in a loop is held."""
    verdicts_per_minute: int = Field(default=60, ge=1)
    """How many verdicts one caller may give within a minute: more than a person can who reads what is judged."""
    origin: str = ""
    """The address that people open, where a proxy stands before the page: https://council.example."""
    flower_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """Flower's address as people open it: a deliberation then links to its tasks there. Empty: no links."""
    trace_url: str = Field(default="", pattern=r"^(https?://\S*\{trace_id\}\S*)?$")
    """The address of a trace, with {trace_id} in it: https://jaeger.example/trace/{trace_id}. Empty: no links."""

    @field_validator("users")
    @classmethod
    def _are_hashes(cls, users: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, hashed in users.items():
            if not hashed.get_secret_value().startswith("$argon2id$"):
                raise ValueError(f"{name} has no argon2id hash; make one with `conclave password`")
        return users

    @field_validator("trusted_proxies")
    @classmethod
    def _are_there(
        cls, proxies: tuple[IPv4Network | IPv6Network, ...], info: ValidationInfo
    ) -> tuple[IPv4Network | IPv6Network, ...]:
        if info.data.get("proxy_header") and not proxies:
            raise ValueError("it is empty, so that nobody's header would be believed; name the proxy's address")
        return proxies

    @field_validator("rights")
    @classmethod
    def _are_of_users(
        cls, rights: dict[str, frozenset[Right]], info: ValidationInfo
    ) -> dict[str, frozenset[Right]]:
        unknown = sorted(rights.keys() - info.data.get("users", {}).keys() - {EVERYBODY_ELSE})
        if unknown and not info.data.get("proxy_header"):
            raise ValueError(f"{unknown[0]} is none of the users")
        return rights

    @field_validator("secret")
    @classmethod
    def _is_long(cls, secret: SecretStr) -> SecretStr:
        if 0 < len(secret.get_secret_value()) < 32:
            raise ValueError("it is shorter than 32 characters; lengthen it")
        return secret

    @field_validator("origin")
    @classmethod
    def _is_an_origin(cls, origin: str) -> str:
        if origin and not re.fullmatch(r"https?://[^/?#@\s]+", origin):
            raise ValueError("it must be an address without a path, as in https://council.example")
        return origin.lower()

    @property
    def login_required(self) -> bool:
        """Whether callers must say who they are, by a login, a proxy or a token."""
        return bool(self.users or self.proxy_header)

    @property
    def refusal(self) -> str:
        """Why these options can't be served, in a sentence; empty if they can."""
        if self.login_required or self.host in LOOPBACK:
            return ""
        return f"the page can't listen on {self.host} without a login: set users, or listen on 127.0.0.1"

    def rights_of(self, user: str) -> frozenset[Right]:
        """Return what a user who has logged in may do."""
        return self.rights.get(user, self.rights.get(EVERYBODY_ELSE, MEMBER))

    @property
    def secure(self) -> bool:
        """Whether people come by TLS, so that cookies must too."""
        return self.origin.startswith("https:")

    @property
    def served_hosts(self) -> frozenset[str] | None:
        """The values of a request's Host that name this page; None where any does, since a login is asked for.

        Without a login a page of another origin could have its name resolved to this host, and read everything.
        """
        if self.login_required:
            return None
        names = {"127.0.0.1", "localhost", "[::1]", self.host}
        named = {urlsplit(self.origin).netloc} if self.origin else set()
        return frozenset({f"{name}:{self.port}" for name in names} | named)
