"""`conclave prove`: does the council beat a single agent on tasks whose answers can be checked?"""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Annotated

import typer

from domain.proving.checked_task import CheckedTask
from domain.proving.proof import Proof, proof_of
from domain.proving.rules import COUNCIL
from workers.cli.cli_error import BadInput, CliError
from workers.cli.council import read_text
from workers.cli.environment import read_settings
from workers.cli.output import AS_JSON, complain, console, print_json
from workers.cli.proof_files import ProofFile, missed, read_baseline, refuse_unwritable, save_baseline
from workers.cli.proof_verdicts import publish_verdicts
from workers.cli.prove_run import ProofRun
from workers.cli.view.proof import tables
from workers.proving.answer_check import AnswerCheck
from workers.proving.confined import can_filter
from workers.proving.sandbox import SandboxBounds
from workers.proving.tasks_file import TasksFileError, digest_of, parse_tasks, shipped_tasks


def prove(
    tasks_file: Annotated[
        Path | None,
        typer.Argument(metavar="TASKS", help="Tasks as YAML, JSON or JSON lines; `-` reads standard input."),
    ] = None,
    role: Annotated[str, typer.Option(help="Whose council is asked.")] = "DEV",
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where outcomes go, a line each; one that exists is gone on with."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Take the first tasks alone.")] = None,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Tasks that are under way at once.")] = 1,
    single: Annotated[bool, typer.Option(help="Ask a single agent with the council's tokens, too.")] = True,
    check_seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Time of one check.")] = 10.0,
    check_memory_mb: Annotated[
        int, typer.Option(min=64, max=1_048_576, help="Memory of each process of a check.")
    ] = 1024,
    threshold: Annotated[
        float | None, typer.Option(help="Fail where the council recovers less of the gap than this.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Fail where the council is worse than in this proof.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--save-baseline", metavar="FILE", help="Save this proof to compare later ones.")
    ] = None,
    learn: Annotated[
        bool, typer.Option("--learn", help="Have P(winner) learn from what the checks found.")
    ] = False,
    as_json: AS_JSON = False,
) -> None:
    """Ask the council tasks whose answers can be checked, and compare what it decides with simpler rules.

    On the same proposals: the first agent, a random pick, one reviewer, the council, the longest, an oracle; and
    one agent alone with as many tokens. Needs a running stack with a council for the role. Exit code 1 where a
    threshold or baseline is missed.

    Examples:

        conclave prove

        conclave prove tasks.yaml --role QA --threshold 0.2
    """
    if threshold is not None and not isfinite(threshold):
        raise BadInput(f"--threshold takes a number, not {threshold}: nothing would miss it, or everything")
    if keep:
        refuse_unwritable(keep)
    tasks = _tasks(tasks_file, limit)
    digest = digest_of(tasks)
    settings = read_settings()
    earlier = read_baseline(baseline, digest) if baseline else None
    if not can_filter():
        complain("this machine can't cut checks off the network: run it in a container if answers may be hostile")
    file = ProofFile.open(results, settings.state, role=role, digest=digest)
    run = ProofRun(
        file, role=role, check=AnswerCheck(SandboxBounds(time_s=check_seconds, memory_mb=check_memory_mb))
    )
    outcomes = run.outcomes(settings, tasks, at_once=at_once, single=single)
    proof = proof_of(outcomes)
    if as_json:
        print_json({"role": role, "digest": digest, "results": str(file.path), **proof.model_dump(mode="json")})
    else:
        for part in tables(proof):
            console().print(part)
    if keep:
        save_baseline(keep, digest, proof)
    if learn:
        publish_verdicts(outcomes, settings)
    _judge(proof, threshold, earlier)


def _tasks(path: Path | None, limit: int | None) -> tuple[CheckedTask, ...]:
    try:
        tasks = shipped_tasks() if path is None else parse_tasks(read_text(path), source=str(path))
    except TasksFileError as error:
        raise BadInput(str(error)) from error
    return tasks[:limit]


def _judge(proof: Proof, threshold: float | None, earlier: Proof | None) -> None:
    """Raise CliError with every goal that is missed."""
    sentences = []
    if threshold is not None:
        gap = proof.row(COUNCIL).gap.value
        if gap is None:
            sentences.append("no gap to recover: on every task all proposals are right or all are wrong")
        elif gap < threshold:
            sentences.append(f"the council recovers {gap:.2f} of the gap, {threshold:g} are asked for")
    sentences += missed(proof, earlier) if earlier else []
    if sentences:
        raise CliError("; ".join(sentences))
