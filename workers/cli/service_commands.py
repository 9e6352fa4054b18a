"""`conclave bridge`, `worker`, `beat`, `flower`, `web`, `mcp`: a process of an installation, in the foreground."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from workers.cli.approve import user_name
from workers.cli.cli_error import BadInput, CliError
from workers.cli.environment import read_settings
from workers.cli.output import say
from workers.cli.worker_process import CELERY, beat_command, become_celery, become_worker, servers, worker_options
from workers.variables import variable


def bridge() -> None:
    """Read approvals from NATS JetStream and hand them to the task queue, until SIGTERM or Ctrl-C.

    Any number of bridges may run at once; they share the work.
    """
    from workers.bridge_process import serve_bridge

    serve_bridge(read_settings())


def worker(
    control: Annotated[bool, typer.Option("--control", help="Dispatch, review and rank; call no GPU.")] = False,
    model: Annotated[
        str | None, typer.Option(help="Serve this model's proposals; default: CONCLAVE_MODEL.")
    ] = None,
    gpu: Annotated[str | None, typer.Option(metavar="IDS", help="Pin to these GPUs: 0, or 0,1.")] = None,
    engine_url: Annotated[
        str | None, typer.Option(metavar="URL", help="An engine that runs already; none is started.")
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            min=1, max=1024, metavar="N", help="Threads, up to 1024; default: CONCLAVE_WORKER_CONCURRENCY."
        ),
    ] = None,
    engine_args: Annotated[
        list[str] | None, typer.Argument(metavar="[-- ENGINE ARGS]", help="Handed to the engine as they are.")
    ] = None,
) -> None:
    """Run one Celery worker: a control worker, or one that serves a model.

    Examples:

        conclave worker --control

        conclave worker --model qwen3-8b --gpu 0 -- --max-model-len 16384
    """
    settings = read_settings()
    options = worker_options(
        settings,
        control=control,
        model=model,
        gpu=gpu,
        engine_url=engine_url,
        concurrency=concurrency,
        engine_args=engine_args or (),
    )
    become_worker(options, settings)


def beat() -> None:
    """Send what is due by the clock: sweeps, publications left over, re-deliberations. Run two; one acts."""
    settings = read_settings()
    become_celery(beat_command(settings), servers(settings))


def flower(
    address: Annotated[str, typer.Option(help="Where it listens; 0.0.0.0 lets other hosts in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 5555,
) -> None:
    """Watch every task in a browser. Read-only, and with the logins of CONCLAVE_FLOWER_AUTH.

    Shows names, ids, plans, roles, agents, models and times; never a plan's or proposal's text.
    """
    from workers.flower.options import CONFIG

    settings = read_settings()
    command = [*CELERY, "flower", f"--conf={CONFIG}", f"--address={address}", f"--port={port}"]
    env = {
        variable("redis_url"): settings.redis_url.get_secret_value(),
        variable("flower", "auth"): settings.flower.auth.get_secret_value(),
        variable("state"): str(settings.state),
    }
    become_celery(command, env)


def web(
    host: Annotated[
        str | None, typer.Option(help="Where it listens; default: CONCLAVE_WEB_HOST. Other hosts need a login.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: CONCLAVE_WEB_PORT.")] = None,
) -> None:
    """Serve the page where people follow deliberations, read and judge decisions, until SIGTERM or Ctrl-C."""
    from workers.web_process import serve_web

    settings = read_settings()
    serve_web(settings.with_web(host=host, port=port))


def mcp(
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whom questions and verdicts come from; default: your user name."),
    ] = None,
) -> None:
    """Let other agents ask councils: a server of the Model Context Protocol on standard input and output.

    The program that uses it starts it, and it ends with its input. Its tools are ask_council, get_decision,
    list_decisions, list_councils and judge_decision. Needs the extra `mcp`.
    """
    try:
        from workers.mcp_process import serve_mcp
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "mcp":
            raise
        raise CliError("MCP's SDK is missing: pip install 'conclave-council[mcp]'") from error
    serve_mcp(read_settings(), user=user or user_name("--user"))


def password() -> None:
    """Ask for a password, or read a line of a pipe, and print its hash for CONCLAVE_WEB_USERS."""
    from argon2 import PasswordHasher

    given = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not given:
        raise BadInput("there is no password; type one")
    say(PasswordHasher().hash(given))
