"""`conclave token …`: what programs prove themselves with at the page's interfaces."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from domain.access_token import MARK, AccessToken, digest_of
from domain.rights import Right
from workers.cli.cli_error import BadInput
from workers.cli.commands import Commands
from workers.cli.environment import open_ports, read_settings
from workers.cli.output import AS_JSON, console, print_json, say
from workers.printer import PlainText

commands = Commands()

NAME = Annotated[str, typer.Argument(help="What the program is called; plans and verdicts bear it.")]
DAY_S = 86_400.0


@commands.command()
def create(
    name: NAME,
    right: Annotated[list[Right], typer.Option(help="What it may do; may be repeated.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="For how long.")] = 90,
) -> None:
    """Make a token and print it, this once: the store keeps a digest.

    Programs send it to a page that asks for a login, as `Authorization: Bearer TOKEN` or as the API key of
    OpenAI's clients.

    Example:

        conclave token create ci --right read --right approve
    """
    name = name.strip()
    if not 0 < len(name) <= 200:
        raise BadInput("a name has 1 to 200 characters")
    text = f"{MARK}{secrets.token_urlsafe(32)}"
    with open_ports(read_settings()) as ports:
        if any(kept.name == name for kept in ports.access_tokens.all()):
            raise BadInput(f"there is a token {name} already: revoke it first, or take another name")
        now = ports.clock.now()
        rights, expires_at = frozenset(right), now + days * DAY_S
        token = AccessToken(
            name=name, digest=digest_of(text), rights=rights, created_at=now, expires_at=expires_at
        )
        ports.access_tokens.save(token)
    say(text)


@commands.command("list")
def list_(as_json: AS_JSON = False) -> None:
    """Print every token's name, rights, and until when it opens anything."""
    with open_ports(read_settings()) as ports:
        tokens, now = ports.access_tokens.all(), ports.clock.now()
    if as_json:
        print_json([_plain(token) for token in tokens])
        return
    if not tokens:
        console().print("no tokens: make one with `conclave token create`")
        return
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("name", "rights", "made", "until"):
        table.add_column(title, overflow="fold")
    for token in tokens:
        until = _date(token.expires_at) if token.stands(now) else "expired"
        table.add_row(PlainText(token.name, "bold"), _rights(token), _date(token.created_at), until)
    console().print(table)


@commands.command()
def revoke(name: NAME) -> None:
    """Remove a token: from now on it opens nothing, at any page."""
    with open_ports(read_settings()) as ports:
        if not ports.access_tokens.delete(name):
            there_are = ", ".join(token.name for token in ports.access_tokens.all()) or "none"
            raise BadInput(f"there is no token {name} (there are: {there_are})")
    say(f"{name} is revoked")


def _plain(token: AccessToken) -> dict[str, Any]:
    return token.model_dump(mode="json", exclude={"digest", "rights"}) | {"rights": _rights(token).split(", ")}


def _rights(token: AccessToken) -> str:
    return ", ".join(right for right in Right if right in token.rights)


def _date(seconds: float | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
