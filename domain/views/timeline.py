"""When each agent's model calls ran: a lane per agent, read off the times of its entries."""

from __future__ import annotations

from typing import Literal

from domain.entry import AgentFailed, ArchitectAnswered, BallotCast, Compared, Critiqued, ModelCall
from domain.record import Record
from domain.value import Value

CallKind = Literal["proposal", "revision", "ballot", "comparison", "critique", "architect"]


class CallSpan(Value):
    """One model call. Between two spans its agent waits: for a worker, an engine's slot, or the others."""

    kind: CallKind
    label: str
    begins_s: float
    """Seconds after the opening."""
    ends_s: float
    failed: bool

    @property
    def seconds(self) -> float:
        return self.ends_s - self.begins_s


class Lane(Value):
    """The calls of one agent, in the order of their beginning."""

    agent_id: str
    spans: tuple[CallSpan, ...]

    @property
    def model_s(self) -> float:
        """Seconds of its calls together, however many ran at once."""
        return sum(span.seconds for span in self.spans)


class Timeline(Value):
    """All lanes, the council's order first; agents without a call have an empty lane."""

    until_s: float
    """Seconds from the opening to the end, or to now; no span ends later."""
    lanes: tuple[Lane, ...]


def timeline(record: Record, now: float) -> Timeline:
    """Lay the calls of a deliberation out over time, `now` in epoch seconds."""
    opened_at = record.deliberation.opened_at
    spans: dict[str, list[CallSpan]] = {agent.agent_id: [] for agent in record.deliberation.reviewers}
    for call in record.calls():
        spans.setdefault(call.agent_id, []).append(_span(call, opened_at))
    ends = [span.ends_s for lane in spans.values() for span in lane]
    until = (record.closed.at if record.closed else now) - opened_at
    return Timeline(
        until_s=max(0.0, until, *ends),
        lanes=tuple(
            Lane(agent_id=agent_id, spans=tuple(sorted(lane, key=lambda span: (span.begins_s, span.ends_s))))
            for agent_id, lane in spans.items()
        ),
    )


def _span(call: ModelCall, opened_at: float) -> CallSpan:
    ends = max(0.0, call.at - opened_at)
    kind, label = _what(call)
    return CallSpan(
        kind=kind,
        label=label,
        begins_s=max(0.0, ends - call.duration_ms / 1000),
        ends_s=ends,
        failed=isinstance(call, AgentFailed) or getattr(call, "missing", None) is not None,
    )


def _what(call: ModelCall) -> tuple[CallKind, str]:
    if isinstance(call, BallotCast):
        return "ballot", f"ballot in pass {call.pass_ + 1}"
    if isinstance(call, Compared):
        return "comparison", f"comparison of {call.first} and {call.second}"
    if isinstance(call, Critiqued):
        return "critique", f"critique of {call.proposal_id}"
    if isinstance(call, ArchitectAnswered):
        return "architect", f"architect's {call.task}"
    return ("revision", f"revision {call.round}") if call.round else ("proposal", "proposal")
