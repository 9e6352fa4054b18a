"""What goes wrong with a local stack, said in one sentence."""

from __future__ import annotations


class StackError(Exception):
    """The stack can't start or go on; the message is one sentence that says what to do."""
