"""What `conclave up` says once all is ready: where everything answers, and what to type next."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from redis.exceptions import RedisError

from bridge.options import NatsOptions
from workers.adapters.redis.connection import address
from workers.adapters.redis.encoding import Unreadable
from workers.settings import Settings
from workers.stack.first_councils import apply_if_none
from workers.stack.folder import USER
from workers.stack.layout import Addresses, StackOptions
from workers.store_ports import StorePorts

ENGINE_WITHIN_S = 30.0
"""For how long an engine that is not offered yet keeps the greeting back: its ready check asks a few questions."""
LOOK_EVERY_S = 0.5
NEXT = "conclave approve PLAN.json --role DEV --watch"
LOGIN_OF_PAGE = f"login: {USER}, its password: `web_login` in stack.json"
LOGIN_OF_FLOWER = "login: conclave config --reveal CONCLAVE_FLOWER_AUTH"


class Greeting:
    """Prepares a stack that has just become ready, and says so once."""

    def __init__(self, state: Path, options: StackOptions, *, engine_within_s: float = ENGINE_WITHIN_S) -> None:
        self._state = state
        self._engine_within_s = engine_within_s
        self._options = options
        self._ports: StorePorts | None = None
        self._prepared = threading.Event()
        self._give_up_at = self._look_at = 0.0

    def prepare(self, where: Addresses) -> None:
        """Apply the shipped councils where there are none; a second call does nothing. Raises StackError."""
        if self._ports is not None:
            return
        settings = Settings.model_validate({"redis_url": where.redis_url})
        self._ports = StorePorts(settings, patience_s=LOOK_EVERY_S)
        apply_if_none(self._ports)
        self._give_up_at = time.monotonic() + self._engine_within_s
        self._prepared.set()

    def due(self, where: Addresses) -> Sequence[str]:
        """Return the greeting's lines when its moment has come, nothing before and after it."""
        now, ports = time.monotonic(), self._ports
        if ports is None or not self._prepared.is_set() or now < self._look_at:
            return ()
        self._look_at = now + LOOK_EVERY_S
        served = _serves(ports, self._options.model)
        if not served and now < self._give_up_at:
            return ()
        self._prepared.clear()
        return list(self._lines(where, ports, served=served))

    def _lines(self, where: Addresses, ports: StorePorts, *, served: bool) -> Iterator[str]:
        rows = (
            ("NATS", NatsOptions(url=(where.nats_url,)).address + _moved(where, "nats")),
            ("Valkey", address(where.redis_url) + _moved(where, "redis")),
            ("Engine", f"{where.engine_url}, {_engine(self._options.model, served=served)}"),
            ("Page", f"{where.web_url}{_moved(where, 'web')}"),
            ("", LOGIN_OF_PAGE),
            ("Flower", f"{where.flower_url}{_moved(where, 'flower')}"),
            ("", LOGIN_OF_FLOWER),
            ("Councils", ", ".join(_roles(ports)) or "none: conclave council apply FILE"),
            ("Logs", str(self._state / "logs")),
        )
        yield from ("", "Conclave is ready.")
        yield from (f"  {name:<8}  {text}" for name, text in rows)
        elsewhere = self._state.absolute() != Settings().state.absolute()
        yield from ("", "In another terminal, in the same folder:")
        yield f"  CONCLAVE_STATE={self._state} {NEXT}" if elsewhere else f"  {NEXT}"
        yield from ("", "Ctrl-C here stops everything. `conclave doctor` says what is missing.")


def _serves(ports: StorePorts, model: str) -> bool:
    try:
        return bool(ports.engines.serving(model))
    except RedisError:
        return False


def _engine(model: str, *, served: bool) -> str:
    return f"serves {model}" if served else f"does not serve {model} yet: model-worker.log says why"


def _moved(where: Addresses, name: str) -> str:
    return f" ({where.taken[name]} is taken)" if name in where.taken else ""


def _roles(ports: StorePorts) -> list[str]:
    try:
        return [council.role for council in ports.councils.all()]
    except (RedisError, Unreadable) as error:
        return [str(error)]
