"""Every event has its line, in which nothing is hidden."""

from __future__ import annotations

from typing import Any, cast

import pytest

from domain.contract import OUTGOING, EventBody
from domain.views.told import told
from tests.support.factories import cancelled_body, completed_body, failed_body, progress_body


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (progress_body(stage="proposal", agent_id="dev-1", outcome="proposal"), "dev-1 proposed"),
        (progress_body(stage="proposal", agent_id="dev-1", outcome="failure"), "dev-1 failed to propose"),
        (progress_body(stage="ballot", what="ballot/0/1/dev-1"), "dev-1 reviewed"),
        (progress_body(stage="critique", what="critique/1/dev-1/dev-2@0"), "dev-1 criticised"),
        (progress_body(stage="architect", what="architect"), "the architect chose"),
        (progress_body(stage="round"), "a round of revisions is over"),
        (progress_body(stage="ranked"), "the proposals are ranked"),
        (failed_body(reason="a\nb\u202e"), r"failed: a\nb\u202e"),
        (cancelled_body(reason="not now"), "cancelled: not now"),
        (completed_body(winner=None), "decided, without a winner"),
    ],
)
def test_an_event_about_a_deliberation_is_told_in_a_line(body: EventBody, line: str) -> None:
    assert told(body) == line


def test_every_kind_of_event_is_told() -> None:
    for kind in OUTGOING.values():
        fields: dict[str, Any] = dict.fromkeys(kind.model_fields, "x") | {
            "agents": ("a",),
            "stage": "ranked",
            "winner": None,
        }
        assert told(cast(EventBody, kind.model_construct(**fields)))
