"""How `conclave worker` and `conclave beat` become processes of Celery's."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.queue_names import CONTROL, model_queue_name
from workers.cli.cli_error import BadInput
from workers.own_packages import refuse_foreign_in
from workers.settings import Settings
from workers.variables import replaced, variable

CELERY = (sys.executable, "-m", "celery", "-A", "workers.app")
"""Celery's own command line on our application."""


@dataclass(frozen=True)
class WorkerOptions:
    """What one worker is to be."""

    control: bool
    model: str
    """The served model; not read by a control worker."""
    gpu: str | None
    """Ids as nvidia-smi names them, separated by commas; None leaves what the process was given."""
    engine_url: str | None
    """An engine that runs already; None: the worker's own, or the one in settings."""
    concurrency: int
    engine_args: tuple[str, ...] = ()

    @property
    def queue(self) -> str:
        """The queue that this worker reads."""
        return CONTROL if self.control else model_queue_name(self.model)

    @property
    def node(self) -> str:
        """A Celery node name: one per process, telling its part."""
        part = "control" if self.control else re.sub(r"[^\w.-]+", "-", self.model)
        return f"{part}-{os.getpid()}@%h"


def worker_options(
    settings: Settings,
    *,
    control: bool,
    model: str | None,
    gpu: str | None,
    engine_url: str | None,
    concurrency: int | None,
    engine_args: Sequence[str],
) -> WorkerOptions:
    """Complete what was typed by what is set. Raises BadInput where it contradicts itself."""
    if control and (model or gpu or engine_url or engine_args):
        raise BadInput(
            "a control worker has no engine: leave out --model, --gpu, --engine-url and engine arguments"
        )
    if engine_url and (gpu or engine_args):
        raise BadInput(
            "an engine that runs already has its GPUs and arguments: leave out --gpu and what follows --"
        )
    if gpu is not None:
        _refuse_unusable(_ids(gpu))
    return WorkerOptions(
        control=control,
        model=model or settings.model,
        gpu=gpu,
        engine_url=engine_url,
        concurrency=concurrency or settings.worker_concurrency,
        engine_args=tuple(engine_args),
    )


def celery_command(options: WorkerOptions, settings: Settings) -> list[str]:
    """Return the command line that a Celery user would have typed."""
    return [
        *(*CELERY, "worker"),
        *("-Q", options.queue, "-n", options.node),
        *("-P", "threads", "-c", str(options.concurrency), "-l", settings.log_level),
    ]


def environment(options: WorkerOptions, settings: Settings) -> dict[str, str]:
    """Return what the worker's process must find in its environment, beside what it inherits."""
    return servers(settings) if options.control else servers(settings) | _engine(options, settings)


def servers(settings: Settings) -> dict[str, str]:
    """Return the variables that name NATS and Valkey, wherever the settings came from."""
    return {
        variable("redis_url"): settings.redis_url.get_secret_value(),
        variable("nats", "url"): ",".join(settings.nats.url),
    }


def _engine(options: WorkerOptions, settings: Settings) -> dict[str, str]:
    """Say which engine: the one at a URL, or its own as soon as GPUs or arguments for one are named."""
    own = options.gpu is not None or bool(options.engine_args)
    found = {
        variable("model"): options.model,
        variable("engine", "url"): options.engine_url or ("" if own else settings.engine.url),
    }
    if options.gpu is not None:
        found[variable("engine", "gpus")] = json.dumps(_ids(options.gpu))
    if options.engine_args:
        found[variable("engine", "extra_args")] = json.dumps(options.engine_args)
    return found


def _ids(gpu: str) -> list[str]:
    return [one.strip() for one in gpu.split(",")]


def _refuse_unusable(ids: list[str]) -> None:
    if not all(ids):
        raise BadInput("--gpu needs indices or UUIDs as nvidia-smi names them, parted by commas: 0, or 0,1")
    if len(set(ids)) < len(ids):
        raise BadInput(f"--gpu {','.join(ids)} names a GPU twice")


def become_worker(options: WorkerOptions, settings: Settings) -> None:
    """Replace this process by the worker's: signals and exit code are Celery's own."""
    become_celery(celery_command(options, settings), environment(options, settings))


def beat_command(settings: Settings) -> list[str]:
    """Return the command line of a beat."""
    return [*CELERY, "beat", "-l", settings.log_level]


def become_celery(command: list[str], env: Mapping[str, str]) -> None:
    """Replace this process by a command of Celery's, with these variables added to the environment.

    Raises SystemExit where the current folder, which Celery imports from first, holds a package of our names.
    """
    refuse_foreign_in(Path.cwd())
    sys.stdout.flush()
    os.execve(command[0], command, replaced(os.environ, env))
