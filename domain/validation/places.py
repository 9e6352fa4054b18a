"""Where in a model an error of pydantic lies, by the types of its fields: its location has labels in it, too."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

Place = tuple[int | str, ...]
"""Names of fields and indices of lists, from the outside in; empty for the whole."""


class Location(NamedTuple):
    """A place in a model."""

    place: Place
    owner: type[BaseModel] | None
    """The model that the last part names a field of; None where it is an index, or the types don't say."""
    expected: Any
    """The type that is expected there; None where the types don't say."""


def locate(expected: Any, loc: Place) -> Location:
    """Follow a location of pydantic's through the types, leaving out the labels of a union's branches."""
    place: Place = ()
    owner: type[BaseModel] | None = None
    for part in loc:
        branches = _branches(expected)
        if len(branches) > 1:
            expected = next((branch for branch in branches if getattr(branch, "__name__", "") == part), None)
            continue
        (expected,) = branches
        owner = expected if isinstance(expected, type) and issubclass(expected, BaseModel) else None
        place, expected = (*place, part), _part_of(expected, part)
    return Location(place, owner, expected)


def field_names(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the names under which a model's fields are written."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _branches(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union but None, which pydantic gives no label."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) not in (Union, UnionType):
        return (annotation,)
    members = [member for member in get_args(annotation) if member is not NoneType]
    return tuple(members) if len(members) > 1 else _branches(members[0])


def _part_of(annotation: Any, part: int | str) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        named = dict(zip(field_names(annotation), annotation.model_fields.values(), strict=True))
        return named[part].annotation if part in named else None
    arguments = get_args(annotation)
    if get_origin(annotation) in (dict, Mapping):
        return arguments[1]
    if get_origin(annotation) is tuple and arguments[-1] is not Ellipsis and isinstance(part, int):
        return arguments[part] if part < len(arguments) else None
    return arguments[0] if arguments else None
