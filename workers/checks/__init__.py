"""Checks that need more than the standard library, and the search for all that are installed."""
