"""The minutes of a deliberation: one Markdown document, in which texts from outside stay text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from domain.contract import CompletedBody, FailedBody
from domain.contract_rows import DecisionBody, FailureRow
from domain.deliberation import Deliberation
from domain.plan import Plan
from domain.record import Record
from domain.text.markdown import fenced, inline
from domain.verdict import Verdict
from domain.views.matrix import MatrixRow, matrix
from domain.views.remarks import failure_line, telling_checks
from domain.views.verdicts import verdict_lines
from domain.views.why import label, number, why


def minutes(record: Record, verdicts: Sequence[Verdict]) -> str:
    """Write the minutes of a deliberation, open or ended, with its plan, its texts, scores, reasons and cost."""
    return "\n\n".join(_blocks(record, verdicts)) + "\n"


def _blocks(record: Record, verdicts: Sequence[Verdict]) -> Iterator[str]:
    plan = record.deliberation.plan
    yield f"# {inline(plan.title or plan.plan_id)}"
    yield _list(_facts(record))
    result = record.closed.result if record.closed else None
    if isinstance(result, CompletedBody):
        yield from _decided(result, verdicts)
    else:
        yield from _undecided(record)
    if isinstance(result, FailedBody):
        yield from _failures(result.failures)
    yield from _cost(record)
    yield from _plan(plan)


def _facts(record: Record) -> Iterator[str]:
    deliberation = record.deliberation
    yield f"Deliberation {inline(deliberation.deliberation_id)}, role {inline(deliberation.role)}"
    if deliberation.supersedes:
        yield f"Revision {deliberation.repeat}, in place of {inline(deliberation.supersedes)}"
    yield f"Plan {inline(deliberation.plan.plan_id)}, approved by {inline(deliberation.plan.approved_by)}"
    yield f"Opened {_moment(deliberation.opened_at)}"
    if record.closed:
        seconds = record.closed.at - deliberation.opened_at
        yield f"{record.state.value.capitalize()} {_moment(record.closed.at)}, after {seconds:.1f} s"
    else:
        yield f"Still open: {record.state.value}"
    yield from _council(deliberation)


def _council(deliberation: Deliberation) -> Iterator[str]:
    for part, agents in (("Proposers", deliberation.agents), ("Judges", deliberation.judges)):
        if agents:
            yield f"{part}: {', '.join(inline(f'{agent.agent_id} ({agent.model})') for agent in agents)}"


def _decided(decision: CompletedBody, verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield f"## Winner: {inline(label(decision.winner.proposal_id)) if decision.winner else 'none'}"
    flags = {"tied": decision.tied, "contested": decision.contested, "degraded": decision.degraded}
    doubts = [flag for flag, is_set in flags.items() if is_set]
    if doubts:
        yield f"This decision is {', '.join(doubts)}."
    yield _list(map(inline, why(decision)))
    yield from _section("Verdicts", map(inline, verdict_lines(decision, verdicts)))
    yield from _section("Ranking", _ranks(decision))
    yield from _section("Scores", map(_scores, matrix(decision.ranking)))
    yield "## Proposals"
    for row in decision.decisions:
        yield from _proposal(row)
    if decision.synthesis:
        yield "## Synthesis"
        yield fenced(decision.synthesis)
    yield from _critiques(decision)
    yield from _failures(decision.failures)
    yield from _section("Checks", map(inline, telling_checks(decision)))


def _undecided(record: Record) -> Iterator[str]:
    if record.closed and record.closed.reason:
        yield f"## {record.state.value.capitalize()}"
        yield inline(record.closed.reason)
    proposals = record.proposals()
    if proposals:
        yield "## Proposals"
    for proposal in proposals:
        yield f"### {inline(proposal.agent_id)}"
        yield fenced(proposal.text)


def _ranks(decision: CompletedBody) -> Iterator[str]:
    for entry in decision.ranking.entries:
        criteria = ", ".join(f"{inline(name)} {number(value)}" for name, value in entry.criteria.items())
        doubts = f"; ranks {entry.interval[0]} to {entry.interval[1]}{'; tied' if entry.tied else ''}"
        yield f"{entry.rank}: {inline(label(entry.proposal))}, score {number(entry.score)}{doubts} ({criteria})"


def _scores(row: MatrixRow) -> str:
    given = (
        f"{inline(label(cell.proposal))} {'its own' if cell.own else number(cell.score)}" for cell in row.cells
    )
    return f"{inline(row.reviewer)}, weight {number(row.weight)}: {', '.join(given)}"


def _proposal(row: DecisionBody) -> Iterator[str]:
    proposal = row.proposal
    cut = ", cut off at its bound of tokens" if proposal.cut_off else ""
    yield f"### {row.rank}: {inline(label(proposal.proposal_id))}, score {number(row.score)}"
    yield f"By {inline(proposal.model)}{cut}. Checks: {number(row.checks.overall_score)}."
    yield fenced(proposal.content)


def _critiques(decision: CompletedBody) -> Iterator[str]:
    critiques = [critique for critique in decision.critiques if critique.text]
    if critiques:
        yield "## Critiques"
    for critique in critiques:
        yield f"### {inline(critique.reviewer)} on {inline(label(critique.proposal_id))}"
        yield fenced(critique.text)


def _failures(failures: Sequence[FailureRow]) -> Iterator[str]:
    yield from _section("Failures", (inline(failure_line(failure)) for failure in failures))


def _cost(record: Record) -> Iterator[str]:
    calls = list(record.calls())
    by_agent = {call.agent_id: [own for own in calls if own.agent_id == call.agent_id] for call in calls}
    yield from _section(
        "Cost",
        (
            f"{inline(agent_id)}: {len(own)} calls, {sum(call.usage.prompt_tokens for call in own)} tokens in, "
            f"{sum(call.usage.completion_tokens for call in own)} out, "
            f"{sum(call.duration_ms for call in own) / 1000:.1f} s"
            for agent_id, own in by_agent.items()
        ),
    )


def _plan(plan: Plan) -> Iterator[str]:
    yield "## Plan"
    if plan.description:
        yield fenced(plan.description)
    yield from _section("Acceptance criteria", map(inline, plan.acceptance_criteria), level=3)
    for heading, notes in plan.noted.items():
        yield from _section(inline(heading), map(inline, notes), level=3)


def _section(title: str, lines: Iterable[str], *, level: int = 2) -> Iterator[str]:
    written = _list(lines)
    if written:
        yield f"{'#' * level} {title}"
        yield written


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
