"""What `conclave demo` prints of its outcome: half a screen, or all of it, and what a slow machine needs."""

from __future__ import annotations

import shutil
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from domain.chat import FailureReason
from domain.contract_rows import FailureRow
from domain.plan import Constraints
from domain.record import Record
from tests.support import factories as make
from tests.support.stage import Stage
from workers.cli.demo import demo_folder, print_outcome, too_slow
from workers.cli.demo_run import DemoResult
from workers.cli.nats_session import ReceivedEvent
from workers.printer import Printer

EVENT = ReceivedEvent("orchestration.deliberation.completed", {"Nats-Msg-Id": "e-1"}, {"story_id": "s-1"})


def printed(*, event: bool, width: int = 80) -> list[str]:
    record = Stage(make.council("DEV"), make.council("QA")).play()
    out = StringIO()
    print_outcome(DemoResult(record, EVENT), Printer(file=out, width=width, color_system=None), event=event)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_ends_with_the_winner_and_why_on_half_a_screen(width: int) -> None:
    lines = printed(event=False, width=width)
    assert len(lines) <= 20 if width >= 80 else len(lines) <= 25
    assert max(map(len, lines)) <= width
    (winner,) = [line for line in lines if line.startswith("Winner: ")]
    after = lines[lines.index(winner) :]
    assert "P(winner)" in " ".join(after[after.index("Why") :])
    assert not any("Nats-Msg-Id" in line for line in lines)


def test_the_lines_of_a_reason_stay_indented() -> None:
    lines = printed(event=False, width=60)
    reasons = lines[lines.index("Why") + 1 :]
    assert any(line.startswith("    ") for line in reasons)
    assert all(line.startswith("  ") for line in reasons)


def test_every_proposal_is_named_with_its_score_and_its_beginning() -> None:
    record = Stage(make.council("DEV")).play()
    assert record.closed is not None
    assert record.closed.decision is not None
    lines = printed(event=False)
    for row in record.closed.decision.decisions:
        assert sum(row.proposal.author.agent_id in line for line in lines[2:5]) == 1


def test_all_of_it_and_the_event_come_when_asked() -> None:
    text = "\n".join(printed(event=True, width=120))
    for words in ("Ranking (", "Scores by reviewer", "Cost (", "Nats-Msg-Id: e-1", 'story_id: "s-1"'):
        assert words in text


def failed(reason: FailureReason, deadline_s: float | None = None) -> Record:
    of = make.deliberation(make.plan(constraints=Constraints(deadline_s=deadline_s)))
    row = FailureRow(agent_id="agent-1", stage="proposal", reason=reason, detail="")
    return make.record(make.closed(status="failed", reason="r", result=make.failed_body(failures=(row,))), of=of)


def test_answers_that_came_too_late_name_the_setting() -> None:
    for reason in (FailureReason.TIMEOUT, FailureReason.DEADLINE):
        assert "set CONCLAVE_POLICY_DEADLINE_S to 1200 " in too_slow(failed(reason))
    assert too_slow(failed(FailureReason.MALFORMED)) == ""


def test_a_deadline_of_the_plan_stands_before_the_setting() -> None:
    assert "set deadline_s in the plan to " in too_slow(failed(FailureReason.DEADLINE, deadline_s=600))


def test_ctrl_c_while_its_folder_is_removed_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted, remove = list[str](), shutil.rmtree

    def rmtree(path: Any, **options: Any) -> None:
        if not interrupted:
            interrupted.append(str(path))
            raise KeyboardInterrupt
        remove(path, **options)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    with pytest.raises(KeyboardInterrupt), demo_folder(None) as folder:
        (folder / "nats.log").touch()
    assert interrupted
    assert list(tmp_path.iterdir()) == []
