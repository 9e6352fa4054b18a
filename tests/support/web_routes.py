"""The routes of the page, and which right each takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from domain.rights import Right
from web.security.rights import BY_TOOL, needs

CHECKS = {needs(right).dependency: right for right in Right}


@dataclass(frozen=True)
class WebRoute:
    """One method of one path."""

    method: str
    """Empty where the path stands for all below it."""
    path: str
    rights: frozenset[Right]
    """What the route says that it takes."""
    by_tool: bool
    """Whether it says that its tools do."""


def routes_of(app: FastAPI) -> Iterator[WebRoute]:
    for context in iter_route_contexts(app.routes):
        calls = frozenset(_declared(getattr(context, "dependant", None)))
        rights = frozenset(CHECKS[call] for call in calls & CHECKS.keys())
        for method in sorted(getattr(context, "methods", None) or {""}):
            yield WebRoute(method, str(context.path), rights, BY_TOOL.dependency in calls)


def _declared(dependant: Any) -> Iterator[Any]:
    for inner in dependant.dependencies if dependant else ():
        yield inner.call
        yield from _declared(inner)
