"""`conclave council …`: who deliberates for a role."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from domain.council import Agent, Council, council_of, no_council
from domain.errors import InvalidCouncils
from workers.cli.cli_error import BadInput
from workers.cli.commands import Commands
from workers.cli.environment import open_ports, read_settings
from workers.cli.output import AS_JSON, console, print_json, say
from workers.councils.council_notation import YamlCouncils
from workers.councils.read import shipped_text
from workers.printer import PlainText

commands = Commands()

ROLE = Annotated[str, typer.Argument(help="A role as plans name it, such as DEV.")]


@commands.command()
def apply(
    file: Annotated[Path | None, typer.Argument(help="YAML or JSON; `-` reads standard input.")] = None,
    default: Annotated[bool, typer.Option("--default", help="Take the shipped councils.")] = False,
) -> None:
    """Put councils in place of their roles' earlier ones.

    A file holds one council, a list, or `councils:`. Either all of it is right and applied, or nothing is.
    Deliberations that have begun keep the council they began with.

    Examples:

        conclave council apply --default

        conclave council apply councils.yaml
    """
    settings = read_settings()
    councils = _councils(file, settings.policy.limits.agents, default=default)
    with open_ports(settings) as ports:
        for council in councils:
            ports.councils.save(council)
    for council in councils:
        say(f"{council.role}: {', '.join(agent.agent_id for agent in council.agents)}")


@commands.command("list")
def list_(as_json: AS_JSON = False) -> None:
    """Print every role and its agents."""
    with open_ports(read_settings()) as ports:
        councils = ports.councils.all()
    if as_json:
        print_json([council.model_dump(mode="json") for council in councils])
        return
    if not councils:
        console().print("no councils: apply the shipped ones with `conclave council apply --default`")
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("role", "agents"):
        table.add_column(title, overflow="fold")
    for council in councils:
        table.add_row(PlainText(council.role, "bold"), ", ".join(agent.agent_id for agent in council.agents))
    console().print(table)


@commands.command()
def show(role: ROLE, as_json: AS_JSON = False) -> None:
    """Print a role's agents: persona, model, temperature, seed."""
    with open_ports(read_settings()) as ports:
        council = _council(role, ports.councils.all())
    if as_json:
        print_json(council.model_dump(mode="json"))
        return
    out = console()
    for agent in council.agents:
        out.print(_agent(agent))
    if council.architect is not None:
        out.print(PlainText("architect, asked where the top is tied or contested:", "dim"))
        out.print(_agent(council.architect))


@commands.command()
def delete(role: ROLE) -> None:
    """Remove a role's council; plans that name the role fail for it from then on."""
    with open_ports(read_settings()) as ports:
        council = _council(role, ports.councils.all())
        ports.councils.delete(council.role)
    say(f"{council.role} has no council any more")


def _councils(file: Path | None, agents: int, *, default: bool) -> tuple[Council, ...]:
    if default == (file is not None):
        raise BadInput("name one file of councils, or ask for the shipped ones with --default")
    text, source = (shipped_text(), "the shipped default") if file is None else (read_text(file), str(file))
    try:
        return YamlCouncils(agents=agents, source=source).read(text)
    except InvalidCouncils as error:
        raise BadInput(str(error)) from error


def read_text(file: Path) -> str:
    """Read a file named on the command line, or standard input for `-`. Raises BadInput."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not UTF-8 at byte {error.start}: save it as UTF-8") from error
    except OSError as error:
        raise BadInput(f"{file} can't be read: {error.strerror}") from error


def _council(role: str, councils: tuple[Council, ...]) -> Council:
    by_role = {council.role: council for council in councils}
    found = council_of(role, by_role)
    if found is None:
        raise BadInput(no_council(role, by_role))
    return found


def _agent(agent: Agent) -> PlainText:
    seed = "any" if agent.seed is None else agent.seed
    facts = f"model {agent.model or 'from settings'} · temperature {agent.temperature:g} · seed {seed}"
    persona = (agent.persona or "no persona", "dim")
    return PlainText.assemble((agent.agent_id, "bold"), f"  {facts}\n", persona, "\n")
