"""What is asked for and can't be had."""

from __future__ import annotations


class Unavailable(Exception):
    """Something asked for is not installed or can't be used; the message is one sentence with the remedy."""
