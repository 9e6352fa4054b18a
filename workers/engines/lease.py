"""Who owns an engine: one folder per engine with a lease that its worker renews.

A worker that vanished leaves the folder behind with an engine that goes on until the lease is over; the next
worker of the very same engine takes the folder and the engine with it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from workers.engines.engine_process import end_engine
from workers.engines.engine_shim import LEASE, read, write
from workers.engines.errors import EngineError
from workers.engines.spec import EngineSpec
from workers.processes.sessions import is_running, started_at

IDENTITY = ("kind", "model", "weights", "gpus", "host", "command", "extra_args", "slots", "max_model_len")
"""What tells engines apart that can't stand in for one another, with the key."""


class Lease:
    """This process's hold on one engine's folder. Renewed from one thread at a time."""

    def __init__(self, folder: Path, spec: EngineSpec) -> None:
        self.folder = folder
        self._spec = spec

    def renew(self) -> None:
        """Prolong the lease from now; raises EngineError if another worker took the engine meanwhile."""
        owner = read(self.folder / LEASE)
        if owner and owner.get("owner") != os.getpid() and _held(owner):
            raise EngineError(f"worker {owner['owner']} took over {self.folder.name} while this one stood still")
        self._write(time.monotonic() + self._spec.lease_s)

    def let_lapse(self) -> None:
        """Give up ownership but leave the engine its time, for another worker to adopt it."""
        self._write(time.monotonic() + self._spec.lease_s, owner=0)

    def release(self) -> None:
        """Give up the engine: its shim ends it."""
        self._write(0.0, owner=0)

    def _write(self, until: float, owner: int | None = None) -> None:
        owner = os.getpid() if owner is None else owner
        content = {"owner": owner, "owner_started": started_at(owner), "until": until}
        write(self.folder / LEASE, {**content, "gpus": self._spec.gpus, "model": self._spec.model})


def take(spec: EngineSpec) -> Lease:
    """Take a folder for this engine: that of a vanished worker first, so that its engine may be adopted.

    Engines that a vanished worker left on one of its GPUs under another grouping are ended first. Raises
    EngineError where a live worker holds one of the GPUs, or the folders are another user's.
    """
    spec.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if spec.state_dir.stat().st_uid != os.geteuid():
        # What it says would be believed: which engine to send prompts to, and which processes to end.
        raise EngineError(
            f"{spec.state_dir} belongs to another user: name a folder of your own in CONCLAVE_ENGINE_STATE_DIR"
        )
    with _alone(spec.state_dir):
        _refuse_taken_gpus(spec)
        folder = next(folder for folder in _folders(spec) if not _held(read(folder / LEASE)))
        folder.mkdir(exist_ok=True)
        for shared in {shared for shared, _ in _sharing(spec)} - {folder}:
            end_engine(shared)
        lease = Lease(folder, spec)
        lease.renew()
    return lease


def fingerprint(spec: EngineSpec) -> str:
    """Tell engines apart that can't stand in for one another."""
    known = spec.model_dump(mode="json", include=set(IDENTITY))
    # In this order and without blanks, as in version 0.1, so that an upgraded worker adopts the engine of the old.
    identity = json.dumps({name: known[name] for name in IDENTITY}, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((identity + spec.key.get_secret_value()).encode()).hexdigest()[:16]


def _folders(spec: EngineSpec) -> Iterator[Path]:
    """Name the folders this engine may have: one per GPU set, any number without a GPU."""
    if spec.gpus:
        name = "-".join(re.sub(r"\W+", "_", gpu) for gpu in spec.gpus)
        return iter([spec.state_dir / f"gpu-{name}"])
    slug = re.sub(r"\W+", "-", spec.model).strip("-").lower()
    return (spec.state_dir / f"cpu-{slug}-{fingerprint(spec)[:6]}-{number}" for number in count(1))


def _sharing(spec: EngineSpec) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the folders and leases of engines on any of the spec's GPUs."""
    for path in spec.state_dir.glob(f"gpu-*/{LEASE}"):
        lease = read(path)
        if set(spec.gpus) & set(lease.get("gpus", ())):
            yield path.parent, lease


def _refuse_taken_gpus(spec: EngineSpec) -> None:
    for _, lease in _sharing(spec):
        if _held(lease):
            gpus = ", ".join(sorted(set(spec.gpus) & set(lease["gpus"])))
            raise EngineError(
                f"GPU {gpus} already belongs to the worker with process id {lease['owner']}, "
                f"which serves {lease['model']}: stop that one or name another GPU"
            )


def _held(lease: dict[str, Any]) -> bool:
    """Whether a live worker other than this one renews the lease."""
    owner, until = lease.get("owner", 0), lease.get("until", 0.0)
    foreign = owner not in (0, os.getpid())
    return foreign and time.monotonic() < until and is_running(owner, lease["owner_started"])


@contextmanager
def _alone(state_dir: Path) -> Iterator[None]:
    """Keep other workers from taking a folder meanwhile."""
    with (state_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
