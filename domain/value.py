"""The base of every domain value: frozen, strict about unknown fields, comparable."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


class Value(BaseModel):
    """An immutable value that refuses fields it does not know."""

    # An error's text gets into logs and Flower, and the input may be a model's answer.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class OpenValue(Value):
    """A value that says what has happened: fields that a newer version added are kept and written out again."""

    model_config = ConfigDict(extra="allow")


Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
"""A short identifier people chose: a role, an agent id, a model, a criterion."""
