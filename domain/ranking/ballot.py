"""A ballot: one reviewer's scores of the others' proposals in one presentation pass; knows no model or prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from domain.value import Name, Value

Score = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
"""A score on one criterion. The scale is the rubric's; the bound only keeps sums exact to a billionth."""


class Ballot(Value):
    """Scores by one reviewer, constructible from plain values.

    `author_of` names every proposal that stood for review and who wrote it; a neutral judge wrote none of
    them. Scores of the reviewer's own proposals are dropped unread, whatever they hold. A proposal that
    `scores` leaves out is a gap. Two ballots with equal content are equal and dump to the same bytes, in
    whatever order they were given. Raises ValueError for a score of a proposal without an author.

    >>> Ballot("ada", author_of={"p1": "ada", "p2": "bob"}, scores={"p1": {"fit": 9}, "p2": {"fit": 7}}).scores
    {'p2': {'fit': 7.0}}
    """

    reviewer: Name
    voice: str = ""
    """Whose opinion it is: reviewers of the same model, persona and sampling share one. Empty: its own."""
    author_of: Mapping[Name, Name] = Field(min_length=1)
    scores: Mapping[Name, Mapping[Name, Score]] = Field(default_factory=dict)
    presentation: tuple[Name, ...] = ()
    """The order in which this reviewer saw the proposals; empty where that is unknown: then no place effect."""
    round: int = Field(default=0, ge=0)
    """The round that the ballot belongs to; kept for the record. Hand in only ballots that should count."""

    def __init__(self, *reviewer: str, **fields: Any) -> None:
        if reviewer:
            (fields["reviewer"],) = reviewer
        super().__init__(**fields)

    @model_validator(mode="before")
    @classmethod
    def _drop_own(cls, data: Any) -> Any:
        """Take self-scores out before anything looks at them, so that no value there can have an effect."""
        if not isinstance(data, dict):
            return data
        authors, scores = data.get("author_of"), data.get("scores")
        if not isinstance(authors, Mapping) or not isinstance(scores, Mapping):
            return data
        others = {p: row for p, row in scores.items() if authors.get(p) != data.get("reviewer")}
        return {**data, "scores": others}

    @field_validator("author_of")
    @classmethod
    def _sort_authors(cls, authors: Mapping[str, str]) -> Mapping[str, str]:
        return dict(sorted(authors.items()))

    @field_validator("scores")
    @classmethod
    def _sort_scores(cls, scores: Mapping[str, Mapping[str, float]]) -> Mapping[str, Mapping[str, float]]:
        return {p: dict(sorted(row.items())) for p, row in sorted(scores.items())}

    @model_validator(mode="after")
    def _authors_known(self) -> Ballot:
        unknown = sorted(set(self.scores) - set(self.author_of))
        if unknown:
            raise ValueError(f"scores name proposals without an author: {', '.join(unknown)}")
        return self
