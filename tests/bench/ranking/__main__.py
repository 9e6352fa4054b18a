"""`python -m tests.bench.ranking`: what the ranking costs and what it is worth. All but the timing is seeded."""

from __future__ import annotations

from tests.bench.ranking import development_table, place_table, simulation_table, timing


def main() -> None:
    """Print every table as its lines become known."""
    for table in (timing, development_table, simulation_table, place_table):
        for line in table.lines():
            print(line, flush=True)
        print(flush=True)


if __name__ == "__main__":
    main()
