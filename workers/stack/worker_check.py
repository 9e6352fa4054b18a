"""What a container asks of its worker: `python -m workers.stack.worker_check` exits 0, or says why not."""

from __future__ import annotations

import socket
import sys

from workers.app import make_app
from workers.settings import Settings

ANSWER_WITHIN = 5.0
"""Seconds for a worker's answer."""


def main() -> None:
    """Exit with a sentence unless a Celery worker on this host answers over the broker."""
    inspect = make_app(Settings()).control.inspect(
        pattern=f"*@{socket.gethostname()}",
        matcher="glob",  # type: ignore[arg-type]  # the stubs expect a function, Celery a name
        timeout=ANSWER_WITHIN,
        limit=1,
    )
    if not inspect.ping():
        sys.exit(f"no worker of {socket.gethostname()} answers within {ANSWER_WITHIN:g} s")


if __name__ == "__main__":
    main()
