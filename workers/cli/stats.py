"""`conclave stats`: figures over all deliberations."""

from __future__ import annotations

from rich.table import Table

from domain.people import BUCKETS, PeopleFigures, SaidFigures, WithPeople, people_figures
from domain.statistics import Figures, statistics
from domain.views.money import sums
from workers.cli.environment import open_ports, read_settings
from workers.cli.output import AS_JSON, console, print_json


def stats(as_json: AS_JSON = False) -> None:
    """Print deliberations, durations, tokens, cost, failures, agreement and winners, in total and by role; then
    how far councils, reviewers and models agree with people's verdicts.

    Exact since the store was made, however many processes write at the same time.
    """
    with open_ports(read_settings()) as ports:
        figures = statistics(ports.deliberations.counts())
        people = people_figures(ports.verdicts.counts())
    if as_json:
        print_json(figures.model_dump(mode="json") | {"people": people.model_dump(mode="json")})
        return
    scopes = {"total": figures.total, **figures.roles}
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("", overflow="fold")
    for scope in scopes:
        table.add_column(scope, justify="right", overflow="fold")
    for title, row in _rows(list(scopes.values())):
        table.add_row(title, *row)
    console().print(table)
    for role, of_role in figures.roles.items():
        console().print(f"{role} won by: {_winners(of_role)}")
    if people != PeopleFigures():
        _print_people(people)


def _print_people(people: PeopleFigures) -> None:
    console().print(
        f"people accepted {people.accepted}, rejected {people.rejected}, preferred another {people.preferred};"
        f" not judged in time: {people.overdue}"
    )
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for title in ("agreement with people", "", "of verdicts", "share"):
        table.add_column(title, justify="right" if title in ("of verdicts", "share") else "left", overflow="fold")
    for kind, rows in (("council", people.councils), ("reviewer", people.reviewers), ("model", people.models)):
        for name, row in rows.items():
            table.add_row(kind, name, *_agreement(row))
    for said in people.said:
        right = f"{said.right} of {said.verdicts}"
        table.add_row("P(winner)", _said(said), right, f"{said.right / said.verdicts:.3f}")
    console().print(table)


def _said(row: SaidFigures) -> str:
    return f"{row.low:.2f} to {row.low + 1 / BUCKETS:.2f} before correction"


def _agreement(row: WithPeople) -> tuple[str, str]:
    return f"{row.agreed:g} of {row.verdicts}", f"{row.share:.3f}"


def _rows(columns: list[Figures]) -> list[tuple[str, list[str]]]:
    counts = [name for name, field in Figures.model_fields.items() if field.annotation is int]
    rows = [(name.replace("_", " "), [f"{getattr(figures, name):,}" for figures in columns]) for name in counts]
    return [
        *rows,
        ("cost", [sums(figures.cost) for figures in columns]),
        ("mean duration", [_or_dash(figures.mean_duration_ms, "{:,.0f} ms") for figures in columns]),
        ("mean Kendall's W", [_or_dash(figures.mean_kendall_w, "{:.3f}") for figures in columns]),
    ]


def _or_dash(figure: float | None, form: str) -> str:
    return "-" if figure is None else form.format(figure)


def _winners(figures: Figures) -> str:
    ordered = sorted(figures.wins.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{agent_id} {count}" for agent_id, count in ordered) or "no agent yet"
