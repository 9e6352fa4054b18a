"""`conclave up` and `conclave down`: the embedded stack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workers.cli.environment import environment_settings
from workers.cli.output import console
from workers.own_packages import refuse_foreign_in
from workers.stack.layout import StackOptions
from workers.stack.run import run_stack, stop_stack

STATE = Annotated[
    Path | None,
    typer.Option("--state", help="Folder for data, logs and stack.json; default: CONCLAVE_STATE, else .conclave."),
]
Port = Annotated[int | None, typer.Option(min=1, max=65535, show_default="any free one")]


def up(
    state: STATE = None,
    nats_port: Port = None,
    redis_port: Port = None,
    engine_port: Port = None,
    flower_port: Port = None,
    model: Annotated[str | None, typer.Option(help="Name under which the engine serves its model.")] = None,
    engine: Annotated[
        str | None, typer.Option(metavar="URL", help="An OpenAI-compatible engine that runs already.")
    ] = None,
) -> None:
    """Run the whole stack here until Ctrl-C: NATS, Valkey, engine, workers, bridge, beat, Flower.

    Everything listens on 127.0.0.1. `stack.json` in the state folder says where and with which process ids; other
    commands started in the same folder find it there. Data survives a restart.

    Example:

        conclave up --state /var/lib/conclave --nats-port 4222
    """
    refuse_foreign_in(Path.cwd())
    settings = environment_settings()
    options = StackOptions(nats_port, redis_port, engine_port, flower_port, model or settings.model, engine)
    raise typer.Exit(run_stack(state or settings.state, options))


def down(state: STATE = None) -> None:
    """Stop the stack that runs in a state folder, and wait until nothing of it is left."""
    folder = state or environment_settings().state
    stopped = stop_stack(folder)
    console().print(f"stopped the stack in {folder}" if stopped else f"no stack runs in {folder}", soft_wrap=True)
