"""Where else a deliberation can be looked at: its tasks in Flower, its trace where traces are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from domain.deliberation import Deliberation
from domain.identity import conclude_task_id, generate_task_id
from web.options import WebOptions


@dataclass(frozen=True)
class Elsewhere:
    """Addresses; empty where settings name none."""

    tasks: Mapping[str, str]
    """Agent id → the task that had it propose."""
    conclusion: str
    """The task that reviewed and ranked."""
    trace: str


def elsewhere(deliberation: Deliberation, options: WebOptions) -> Elsewhere:
    """Return the addresses for one deliberation."""
    identity = deliberation.deliberation_id
    _, _, rest = deliberation.traceparent.partition("-")
    trace_id, _, _ = rest.partition("-")
    flower = options.flower_url.rstrip("/")
    proposers = deliberation.agents if flower else ()
    return Elsewhere(
        tasks={
            agent.agent_id: _task(flower, generate_task_id(identity, 0, agent.agent_id)) for agent in proposers
        },
        conclusion=_task(flower, conclude_task_id(identity)) if proposers else "",
        trace=options.trace_url.replace("{trace_id}", quote(trace_id, safe="")) if trace_id else "",
    )


def _task(flower: str, task_id: str) -> str:
    return f"{flower}/task/{quote(task_id, safe='')}"
