"""Signed cookies that say who logged in, and passwords compared with their hashes."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

from web.options import WebOptions

COOKIE = "conclave_session"
NOT_A_PASSWORD = PasswordHasher().hash(secrets.token_urlsafe(32))
"""Compared with where the name is unknown, so that the time it takes does not tell which names are known."""


class Sessions:
    """Who is logged in. Holds nothing: a cookie is its own proof until its time is over.

    A cookie is void once its user is taken out or has another password.
    """

    def __init__(self, options: WebOptions, now: Callable[[], float]) -> None:
        self._users: Mapping[str, SecretStr] = options.users
        self._key = (options.secret.get_secret_value() or secrets.token_urlsafe(32)).encode()
        self._lasts_s = options.session_s
        self._now = now
        # A comparison takes 64 MiB and a core for a moment, on purpose.
        self._one_at_a_time = threading.Lock()

    def opened_by(self, name: str, password: str) -> str | None:
        """Return the cookie of a new session; None for a name or password that is wrong."""
        hashed = self._users.get(name)
        known = hashed.get_secret_value() if hashed else NOT_A_PASSWORD
        with self._one_at_a_time:
            if not _fits(known, password) or hashed is None:
                return None
        return self._sealed({"name": name, "until": self._now() + self._lasts_s})

    def user_of(self, cookie: str) -> str | None:
        """Return who opened the session; None for a cookie that is forged, over or void."""
        payload, _, _ = cookie.partition(".")
        try:
            fields = json.loads(base64.urlsafe_b64decode(payload.encode() + b"=="))
            name, until = str(fields["name"]), float(fields["until"])
        except (binascii.Error, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        genuine = hmac.compare_digest(cookie.encode(), f"{payload}.{self._seal(payload, name)}".encode())
        return name if genuine and name in self._users and self._now() < until else None

    def _sealed(self, fields: dict[str, object]) -> str:
        payload = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")
        return f"{payload}.{self._seal(payload, str(fields['name']))}"

    def _seal(self, payload: str, name: str) -> str:
        hashed = self._users.get(name)
        told = f"{payload}\n{hashed.get_secret_value() if hashed else ''}"
        return hmac.new(self._key, told.encode(), sha256).hexdigest()


def _fits(hashed: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
