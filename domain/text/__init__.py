"""Proposals as text: which characters people can see, and where the code is."""
