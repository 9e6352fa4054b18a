"""The councils of a stack that has none: the shipped ones, so that its first plan finds somebody to deliberate."""

from __future__ import annotations

from redis.exceptions import RedisError

from workers.adapters.redis.encoding import Unreadable
from workers.councils.read import default_councils
from workers.errors import StackError
from workers.store_ports import StorePorts


def apply_if_none(ports: StorePorts) -> None:
    """Save the shipped councils where there are none at all. Raises StackError where the store can't be used."""
    try:
        if not ports.councils.all():
            for council in default_councils():
                ports.councils.save(council)
    except Unreadable:
        return  # there are some; who asks for the role is told which
    except RedisError as error:
        raise StackError(f"Valkey does not take the default councils: {error}") from error
