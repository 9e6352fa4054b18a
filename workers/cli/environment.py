"""From the environment, or the stack that runs here, to settings and services; says what is missing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from workers.cli.cli_error import BadInput, CliError
from workers.logins import VALKEY, may_not
from workers.settings import Settings, sentence
from workers.stack.folder import StackRecord, StateFolder
from workers.variables import variable

if TYPE_CHECKING:
    from celery import Celery

    from workers.composition import Composition
    from workers.store_ports import StorePorts

PATIENCE_S = 1.0
"""How long a command tries to reach Valkey."""


def environment_settings() -> Settings:
    """Read the environment. Raises BadInput naming the variable that does not fit."""
    try:
        return Settings()
    except ValidationError as error:
        raise BadInput(sentence(error)) from error


def running_stack(state: Path) -> StackRecord | None:
    """Return where the stack in that folder answers; None if none runs. Raises StackError for a broken record."""
    folder = StateFolder(state)
    return folder.record() if folder.holder() is not None else None


def from_stack(settings: Settings) -> dict[str, Any]:
    """Return the settings that the stack running in `settings.state` decides, as the environment did not."""
    running = running_stack(settings.state)
    if running is None:
        return {}
    found: dict[str, Any] = {}
    if "redis_url" not in settings.model_fields_set:
        found["redis_url"] = running.redis_url
    if "url" not in settings.nats.model_fields_set:
        found["nats"] = {"url": running.nats_url}
    if "url" not in settings.engine.model_fields_set:
        own = {"key": running.engine_key} if running.engine_key else {}
        found["engine"] = {"url": running.engine_url, **own}
    if running.model and "model" not in settings.model_fields_set:
        found["model"] = running.model
    if running.flower_login and "auth" not in settings.flower.model_fields_set:
        found["flower"] = {"auth": running.flower_login}
    return found


def read_settings(state: Path | None = None) -> Settings:
    """Return the effective settings: the environment first, then the stack that runs in the state folder.

    So commands find the servers of `conclave up` by themselves. Raises BadInput, StackError.
    """
    settings = environment_settings()
    if state is not None:
        settings = Settings(state=state)
    found = from_stack(settings)
    return Settings(**({"state": settings.state} | found)) if found else settings


@contextlib.contextmanager
def open_ports(settings: Settings) -> Iterator[StorePorts]:
    """Give the store's ports on these settings once it answers, for commands that start no work.

    Raises CliError naming the address when Valkey can't be used, within seconds: a worker would wait for an outage
    to pass. Raises BadInput for an address that can't be understood.
    """
    from redis.exceptions import NoPermissionError, RedisError

    from workers.adapters.redis.connection import LoginRefused, StoreUnreachable, address, login, reach
    from workers.adapters.redis.encoding import Unreadable
    from workers.store_ports import StorePorts, store_client

    url = settings.redis_url.get_secret_value()
    try:
        client = store_client(settings, patience_s=PATIENCE_S)
    except ValueError as error:
        raise BadInput(f"{variable('redis_url')} can't be used: {error}") from error
    try:
        reach(client, url)
        yield StorePorts(settings)
    except Unreadable as error:
        raise CliError(str(error)) from error
    except (NoPermissionError, LoginRefused) as error:
        raise CliError(may_not(VALKEY, login(url), str(error).rstrip("."))) from error
    except StoreUnreachable as error:
        remedy = f"`conclave up` starts one here, {variable('redis_url')} says where another is"
        raise CliError(f"{error} ({remedy})") from error
    except RedisError as error:
        raise CliError(f"Valkey at {address(url)} was lost on the way: {error}; try again") from error


@contextlib.contextmanager
def open_work(settings: Settings) -> Iterator[tuple[Composition, Celery]]:
    """Give all ports, each made at its first use, and the Celery application whose queue takes the work.

    For commands that start or withdraw work. Raises as above.
    """
    from kombu.exceptions import OperationalError

    from workers.adapters.redis.connection import address
    from workers.app import make_app
    from workers.composition import Composition

    with open_ports(settings):
        ports = Composition(settings)
        try:
            yield ports, make_app(settings)
        except OperationalError as error:
            broker = address(settings.redis_url.get_secret_value())
            raise CliError(f"Valkey at {broker} was lost on the way: {error}; try again") from error
        finally:
            ports.portal.close()


def without_login(url: str) -> str:
    """Take user and password out of every URL in a list parted by commas or semicolons."""
    for mark in (";", ","):
        if mark in url:
            return mark.join(without_login(part) for part in url.split(mark))
    scheme, between, rest = url.partition("://")
    return f"{scheme}{between}{rest.rpartition('@')[2]}" if between else url
