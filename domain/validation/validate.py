"""Data from outside against the model that it must fit: every mistake is one sentence with place and remedy.

Serves messages, council files and plan files alike, so a sentence says nothing about how the data came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from domain.validation.near_names import nearest, renamed
from domain.validation.places import Place, field_names, locate
from domain.validation.words import EXPECTED_TYPES, path, printable, problem_of

M = TypeVar("M", bound=BaseModel)

MAX_LISTED = 100
"""Mistakes that get a sentence: a message of a megabyte can hold half a million."""

PREDICATES = ("is ", "has ", "must ")


@dataclass(frozen=True)
class Mistake:
    """One thing that does not fit."""

    place: Place
    problem: str
    """What is wrong and what to do: "is missing; add it", or a clause with a subject of its own."""

    @property
    def sentence(self) -> str:
        """The mistake with its place."""
        where = path(self.place)
        if where and self.problem.startswith(PREDICATES):
            return f"field {where} {self.problem}"
        return f"{where}: {self.problem}" if where else self.problem


class InvalidInput(Exception):
    """Data from outside does not fit its model; the text is the first mistake's sentence."""

    def __init__(self, mistakes: Sequence[Mistake], *, unlisted: int = 0) -> None:
        super().__init__(mistakes[0].sentence)
        self.mistakes = tuple(mistakes)
        self.unlisted = unlisted
        """How many more there are beyond MAX_LISTED."""


class _Misfit(NamedTuple):
    """One of pydantic's errors with its place."""

    place: Place
    owner: type[BaseModel] | None
    detail: ErrorDetails

    @property
    def kind(self) -> str:
        return self.detail["type"]


def validate(model: type[M], data: object, *, within: Place = ()) -> M:
    """Return the data as that model. Raises InvalidInput with every mistake, its place being below `within`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise invalid(error, model, within=within) from error


def validate_each(model: type[M], placed: Iterable[tuple[Place, object]]) -> tuple[list[M], list[str], int]:
    """Return those that fit the model, a sentence for every mistake in the others, and how many more there are."""
    fitting: list[M] = []
    sentences: list[str] = []
    unlisted = 0
    for place, data in placed:
        try:
            fitting.append(validate(model, data, within=place))
        except InvalidInput as error:
            sentences += [mistake.sentence for mistake in error.mistakes]
            unlisted += error.unlisted
    return fitting, sentences, unlisted


def invalid(error: ValidationError, model: type[BaseModel], *, within: Place = ()) -> InvalidInput:
    """Return what pydantic's error about that model says, in our words."""
    details = _details(error, model, within)
    misfits = [_misfit(*detail) for detail in islice(details, MAX_LISTED)]
    return InvalidInput([*_mistakes(misfits)], unlisted=sum(1 for _ in details))


def _details(error: ValidationError, expected: Any, within: Place) -> Iterator[tuple[Place, Any, ErrorDetails]]:
    """Yield each error with the type it is about and the place of that; one within a validator of ours, too."""
    details = error.errors(include_url=False)
    for detail in details:
        context = detail.get("ctx") or {}
        inner = context.get("error")
        if detail["type"] == "too_short" and len(detail["input"]) >= context["min_length"] and len(details) > 1:
            continue  # the list is too short only because its wrong entries don't count
        if isinstance(inner, ValidationError):
            outer = locate(expected, detail["loc"])
            yield from _details(inner, outer.expected, within + outer.place)
        else:
            yield within, expected, detail


def _misfit(within: Place, expected: Any, detail: ErrorDetails) -> _Misfit:
    location = locate(expected, detail["loc"])
    return _Misfit(within + location.place, location.owner, detail)


def _mistakes(misfits: Sequence[_Misfit]) -> Iterator[Mistake]:
    """Yield a mistake for every place, in pydantic's order; branches of a union share a place.

    Where a branch was entered, only the mistakes within it count.
    """
    containers = {misfit.place[:depth] for misfit in misfits for depth in range(len(misfit.place))}
    by_place: dict[Place, list[_Misfit]] = {}
    for misfit in misfits:
        if misfit.place not in containers or misfit.kind not in EXPECTED_TYPES:
            by_place.setdefault(misfit.place, []).append(misfit)
    renames = _renames(misfits)
    for place, group in by_place.items():
        if place in renames:
            yield _unknown(renames[place], write=str(place[-1]))
        elif place not in renames.values():
            yield _mistake(place, group)


def _mistake(place: Place, group: Sequence[_Misfit]) -> Mistake:
    if group[0].kind == "extra_forbidden":
        owner = group[0].owner
        return _unknown(place, write=nearest(str(place[-1]), field_names(owner)) if owner else "")
    return Mistake(place, problem_of([misfit.detail for misfit in group]))


def _unknown(place: Place, *, write: str) -> Mistake:
    remedy = f"write {write}" if write else "leave it out"
    return Mistake(place[:-1], f"field {printable(str(place[-1]))} is not known here; {remedy}")


def _renames(misfits: Sequence[_Misfit]) -> dict[Place, Place]:
    """Map the place of a missing field to that of the unknown one which was likely meant to be it."""
    objects: dict[Place, tuple[_Misfit, list[str]]] = {}
    for misfit in misfits:
        if misfit.kind == "missing":
            objects.setdefault(misfit.place[:-1], (misfit, []))[1].append(str(misfit.place[-1]))
    return {
        (*place, missing): (*place, unknown)
        for place, (misfit, names) in objects.items()
        for missing, unknown in renamed(names, _unknown_names(misfit)).items()
    }


def _unknown_names(misfit: _Misfit) -> Iterator[str]:
    """Yield the names in the object that lacks a field which its model does not know."""
    given = misfit.detail["input"]
    if misfit.owner is not None and isinstance(given, Mapping):
        known = field_names(misfit.owner)
        yield from (name for name in given if isinstance(name, str) and name not in known)
