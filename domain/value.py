"""The base of every domain value: frozen, strict about unknown fields, comparable."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


class Value(BaseModel):
    """An immutable value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
"""A short identifier people chose: a role, an agent id, a model, a criterion."""
