"""`python -m tests.bench.ranking [--hanna PATH]`: what the ranking costs and is worth, seeded but for time."""

from __future__ import annotations

import argparse
from itertools import chain
from pathlib import Path

from tests.bench.ranking import (
    calibration_table,
    development_table,
    place_table,
    reviewers_table,
    second_look_table,
    simulation_table,
    timing,
)


def main() -> None:
    """Print every table as its lines become known."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ranking")
    parser.add_argument("--hanna", type=Path, metavar="PATH", help="HANNA's table hanna_metric_scores_llm.csv")
    table = parser.parse_args().hanna
    seeded = (
        development_table.lines(),
        simulation_table.lines(),
        place_table.lines(),
        reviewers_table.lines(),
        second_look_table.lines(),
        calibration_table.lines(table),
    )
    tables = (timing.lines(), *seeded)
    for line in chain.from_iterable(chain(lines, [""]) for lines in tables):
        print(line, flush=True)


if __name__ == "__main__":
    main()
