"""What the judge is given at the end of a run: the streams, the engine's answers, the printed statistics."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable

from tests.acceptance.chaos.engine import answers
from tests.acceptance.chaos.stage import Stage
from tests.acceptance.test_pipeline import approval
from tests.support.judge import History
from tests.support.recorded import recorded


async def history(stage: Stage, asked: Iterable[str]) -> History:
    """Read everything about the run; `asked`: ids of the plans whose approval JetStream confirmed."""
    roles = approval()["roles"]
    return History(
        approvals=[{"plan_id": plan_id, "roles": roles} for plan_id in asked],
        events=await recorded(stage.nats.url, "orchestration.>"),
        answers=answers(stage.engine_url),
        reported_lost=stage.reported_lost(),
        figures=_statistics(stage),
    )


def _statistics(stage: Stage) -> dict[str, object]:
    command = (sys.executable, "-m", "workers.cli", "stats", "--json")
    printed = subprocess.run(
        command, env=os.environ | stage.fleet.env, capture_output=True, check=True, timeout=60
    )
    figures: dict[str, object] = json.loads(printed.stdout)
    return figures
