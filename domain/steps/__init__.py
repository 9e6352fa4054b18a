"""The steps of a deliberation: each takes ids and ports, does one thing, and may be run any number of times."""
