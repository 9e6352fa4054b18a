"""Rankings as version 0.1 made them replay to the bit, on 45 random panels frozen with its code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.ranking import Ballot, Ranking, RankingSettings, Reliability, rank
from domain.rubric import Rubric

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "data" / "ranking-v1.json").read_text(encoding="utf-8")
)
READ = {"reliability": Reliability.model_validate, "rubric": Rubric.model_validate}


def replayed(case: dict[str, Any], settings: RankingSettings) -> Ranking:
    ballots = [Ballot(**ballot, author_of=case["authors"]) for ballot in case["ballots"]]
    how: dict[str, Any] = {name: READ.get(name, lambda value: value)(value) for name, value in case["how"].items()}
    return rank(ballots, settings=settings, **how)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_ranking_of_version_1_replays_to_the_bit(number: int) -> None:
    stored = Ranking.model_validate(CASES[number]["ranking"])
    assert stored.settings.version == 1
    again = replayed(CASES[number], stored.settings)
    assert again.model_dump_json() == stored.model_dump_json()


def test_version_1_and_today_differ_where_the_ballots_leave_room() -> None:
    winners = [
        (case["ranking"]["winner"], replayed(case, RankingSettings.current(seed=number)).winner)
        for number, case in enumerate(CASES)
    ]
    assert any(then != now for then, now in winners)


def test_a_version_of_the_future_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="version"):
        RankingSettings(version=3)
