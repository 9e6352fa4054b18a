"""Read councils from YAML or JSON text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

from domain.council import Council
from domain.errors import InvalidCouncils
from domain.validation.places import Place
from domain.validation.validate import validate_each
from domain.validation.words import listing
from workers.notation import Unreadable, documents


def default_councils() -> tuple[Council, ...]:
    """Return the shipped councils: DEV, QA, ARCHITECT, DEVOPS and DATA with three agents each."""
    return parse_councils(shipped_text(), source="the shipped default")


def shipped_text() -> str:
    """Return the file of the shipped councils."""
    return resources.files("workers.councils").joinpath("default.yaml").read_text(encoding="utf-8")


def parse_councils(text: str, *, source: str) -> tuple[Council, ...]:
    """Read one council, a list of them, or an object with `councils`; YAML (several documents too) or JSON.

    `source` names the text in errors. Raises InvalidCouncils; nothing is returned unless all of it is right.
    """
    councils, mistakes, unlisted = validate_each(Council, _objects(text, source))
    mistakes += _doubled_roles(councils)
    if mistakes:
        raise InvalidCouncils(listing(f"{source}:", mistakes, unlisted=unlisted))
    if not councils:
        raise InvalidCouncils(f"{source} holds no council: write `role:` and `agents:`, or a list of `councils:`")
    return tuple(councils)


def _doubled_roles(councils: Sequence[Council]) -> list[str]:
    roles = [council.role for council in councils]
    folded = [role.casefold() for role in roles]
    doubled = sorted({role for role in roles if folded.count(role.casefold()) > 1})
    by_letters = {role.casefold(): role for role in reversed(doubled)}
    return [f"there are two councils for {role}; keep one, or rename a role" for role in by_letters.values()]


def _objects(text: str, source: str) -> Iterator[tuple[Place, Any]]:
    try:
        found = documents(text, source=source)
    except Unreadable as error:
        raise InvalidCouncils(str(error)) from error
    for document in found:
        if isinstance(document, dict) and "councils" in document:
            councils = document["councils"]
            extra = sorted(str(key) for key in document if key != "councils")
            if extra or not isinstance(councils, list):
                what = f"`councils` stands beside `{extra[0]}`" if extra else "`councils` is not a list"
                raise InvalidCouncils(f"{source}: {what}; a file is one council or a list of `councils:`")
            yield from ((("councils", index), council) for index, council in enumerate(councils))
        elif isinstance(document, list):
            yield from (((index,), council) for index, council in enumerate(document))
        elif document is not None:
            yield (), document
