"""`conclave up` and `conclave down`: the embedded stack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from workers.cli.environment import environment_settings
from workers.cli.output import console
from workers.own_packages import refuse_foreign_in
from workers.settings import Settings
from workers.stack.layout import USUAL_PORTS, StackOptions
from workers.stack.run import run_stack, stop_stack

STATE = Annotated[
    Path | None,
    typer.Option("--state", help="Folder for data, logs and stack.json; default: CONCLAVE_STATE, else .conclave."),
]
Port = Annotated[int | None, typer.Option(min=1, max=65535, show_default="the usual one, else any free one")]


def up(
    state: STATE = None,
    nats_port: Port = None,
    redis_port: Port = None,
    engine_port: Annotated[int | None, typer.Option(min=1, max=65535, show_default="any free one")] = None,
    flower_port: Port = None,
    web_port: Port = None,
    model: Annotated[str | None, typer.Option(help="Name under which the engine serves its model.")] = None,
    engine: Annotated[
        str | None, typer.Option(metavar="URL", help="An OpenAI-compatible engine that runs already.")
    ] = None,
    logs: Annotated[bool, typer.Option("--logs", help="Print what the processes log as well.")] = False,
) -> None:
    """Run the whole stack here until Ctrl-C: NATS, Valkey, engine, workers, bridge, beat, Flower, page.

    Everything listens on 127.0.0.1, on 4222 (NATS), 6379 (Valkey), 5555 (Flower) and 8400 (page) where they are
    free. Commands started in the same folder find it by `stack.json` in the state folder, where logs and data lie
    too: data survives a restart. Where there is no council, the shipped ones are applied.

    Examples:

        conclave up

        conclave up --engine http://127.0.0.1:11434/v1 --model qwen3:8b
    """
    refuse_foreign_in(Path.cwd())
    settings = environment_settings()
    options = StackOptions(
        nats_port=nats_port,
        redis_port=redis_port,
        engine_port=engine_port,
        flower_port=flower_port,
        web_port=web_port,
        model=model or settings.model,
        engine=engine,
        usual_ports=ports_of(settings),
    )
    raise typer.Exit(run_stack(state or settings.state, options, logs=logs))


def ports_of(settings: Settings) -> Mapping[str, int]:
    """Return the ports that `up` takes where they are free and its options name no others."""
    return USUAL_PORTS if settings.stack_ports == "usual" else {}


def down(state: STATE = None) -> None:
    """Stop the stack that runs in a state folder, and wait until nothing of it is left."""
    folder = state or environment_settings().state
    stopped = stop_stack(folder)
    console().print(f"stopped the stack in {folder}" if stopped else f"no stack runs in {folder}", soft_wrap=True)
