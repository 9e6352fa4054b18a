"""YAML and JSON as people write them, read alike for every file that may be either."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import yaml


class Unreadable(ValueError):
    """A text is in neither notation; the message says where it stops being so."""


def documents(text: str, *, source: str) -> list[Any]:
    """Read one JSON document, or all YAML documents. `source` names the text in errors. Raises Unreadable.

    JSON first: YAML reads most of it, but stumbles over tabs and surrogate pairs.
    """
    try:
        with contextlib.suppress(ValueError):
            return [json.loads(text)]
        return list(yaml.safe_load_all(text))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable(f"{source} is neither YAML nor JSON: {_cause(error)}") from error


def _cause(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return str(error).partition("\n")[0] or type(error).__name__
    return f"{getattr(error, 'problem', None) or 'unreadable'} in line {mark.line + 1}, column {mark.column + 1}"
