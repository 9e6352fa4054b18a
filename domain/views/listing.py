"""A list of deliberations: a row for each, and which of them somebody looks for."""

from __future__ import annotations

from domain.record import DeliberationState, Record
from domain.value import Value
from domain.views.money import cost_line
from domain.views.progress import view
from domain.views.summary import DeliberationSummary, summary


class ListedDeliberation(DeliberationSummary):
    """A deliberation as a row of a list."""

    title: str
    """The plan's title, or its id where it has none."""
    stage: str
    """Which stage runs, such as `review`; empty when it is over."""
    done: int
    """Answers of that stage so far; of the first one when it is over."""
    total: int
    duration_s: float
    """To its end, or so far."""
    stability: float | None
    """Share of resampled panels in which the winner stays first; None without at least two voices."""
    p_winner: float | None
    """Calibrated probability that people would call the winner best; None where none is claimed."""
    kendall_w: float | None
    """How far the reviewers agree, 0 to 1."""
    flags: tuple[str, ...]
    """Any of tied, contested, degraded."""
    tokens: int
    """Of all prompts and answers so far."""
    cost: str
    """What an ended one cost, as people read it; empty where no price was set."""


class ListFilter(Value):
    """What somebody looks for; whatever is empty holds for all."""

    state: DeliberationState | None = None
    role: str = ""
    """In any case."""
    plan: str = ""
    """A plan's id."""
    text: str = ""
    """Part of its title or of an id, in any case."""
    since: float | None = None
    until: float | None = None
    """When it was opened, in epoch seconds; the end is not part of it."""

    def matches(self, row: ListedDeliberation) -> bool:
        """Whether the deliberation is one of those looked for."""
        texts = (row.title, row.plan_id, row.story_id, row.deliberation_id)
        return (
            self.state in (None, row.state)
            and self.role.casefold() in ("", row.role.casefold())
            and self.plan in ("", row.plan_id)
            and (self.since is None or self.since <= row.opened_at)
            and (self.until is None or row.opened_at < self.until)
            and any(self.text.casefold() in text.casefold() for text in texts)
        )


def listed(record: Record, now: float) -> ListedDeliberation:
    """Return the row of a deliberation at a moment, in epoch seconds."""
    seen = view(record, now)
    running = next((stage for stage in seen.stages if stage.status == "running"), None)
    shown = running or seen.stages[0]
    decision = record.closed.decision if record.closed else None
    flags = (
        {"tied": decision.tied, "contested": decision.contested, "degraded": decision.degraded} if decision else {}
    )
    ranking = decision.ranking if decision else None
    # Version 1 of the ranking knew no voices: what it called the winner's probability was stability.
    calibrated = ranking is not None and ranking.independent_voices is not None
    return ListedDeliberation(
        **dict(summary(record)),
        title=seen.title,
        stage=running.name if running else "",
        done=shown.done,
        total=shown.total,
        duration_s=seen.elapsed_s,
        stability=(ranking.stability if calibrated else ranking.p_winner) if ranking else None,
        p_winner=ranking.p_winner if ranking and calibrated else None,
        kendall_w=ranking.agreement.kendall_w if ranking else None,
        flags=tuple(flag for flag, is_set in flags.items() if is_set),
        tokens=seen.usage.prompt_tokens + seen.usage.completion_tokens,
        cost=_cost(record),
    )


def _cost(record: Record) -> str:
    usage = record.closed.result.usage if record.closed else None
    return cost_line(usage.cost) if usage and usage.cost else ""
