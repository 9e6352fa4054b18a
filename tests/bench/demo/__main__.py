"""Which plan and which review make a demo that convinces: `python -m tests.bench.demo --help`.

Each candidate is deliberated with ten seeds by the small model that ships, through the product's steps and checks.
What was tried is a line of a file: the same command again goes on where the last one stopped.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from domain.deliberation import ReviewRules
from domain.engine import EngineKind
from domain.ports.chat_model import ChatModel
from tests.bench.council.council import CALL_S, DAY_S, Endpoint
from tests.bench.demo.trial import Candidate, Line, tried
from tests.bench.injection.__main__ import serving
from tests.bench.injection.vote import Remembering
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.adapters.openai.ready_check import OpenAIReadyCheck
from workers.cli.demo_council import SAMPLING
from workers.engines.llama_server import DEFAULT_MODEL
from workers.portal import Portal
from workers.proving.line_file import LineFile

SHIPPED = Path("workers/cli/demo_plan.yaml")


def main(arguments: Sequence[str] | None = None) -> None:
    """Try what is missing, then print the table, and the texts where they are asked for."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = options.lines or Path(folder) / "demo.jsonl"
        if not options.table:
            with serving(options.engine_url, folder) as url, _model_at(url) as model:
                _try(options, Remembering(model), path)
        lines = [Line.model_validate(line) for line in LineFile(path).read()]
        for line in table(lines):
            print(line)
        if options.texts:
            _print_texts(lines)


def _try(options: argparse.Namespace, model: ChatModel, path: Path) -> None:
    done = {(line["candidate"], line["seed"]) for line in LineFile(path).read()}
    cells = [(candidate, seed) for candidate in _candidates(options) for seed in range(options.seeds)]
    for candidate, seed in cells:
        if (candidate.name, seed) not in done:
            LineFile(path).append(tried(candidate, seed, model).model_dump(mode="json"))
            print(".", end="", file=sys.stderr, flush=True)


def _candidates(options: argparse.Namespace) -> Iterator[Candidate]:
    for plan, ballots, look in product(options.plans, options.ballots, options.second_look):
        yield Candidate(plan, ReviewRules(ballots=ballots, second_look=look == "yes"))


def table(lines: Iterable[Line]) -> Iterator[str]:
    """Print a line per candidate: how many of its seeds have what a demo should show."""
    by_candidate: dict[str, list[Line]] = {}
    for line in lines:
        by_candidate.setdefault(line.candidate, []).append(line)
    yield "| candidate | seeds | three readable, different proposals | untied | both | tokens |"
    yield "|---|---|---|---|---|---|"
    for name, each in sorted(by_candidate.items()):
        counts = (
            len(each),
            *(sum(getattr(line, what) for line in each) for what in ("readable", "untied", "convinces")),
        )
        cells = " | ".join(map(str, counts))
        yield f"| {name} | {cells} | {sum(line.tokens for line in each) / len(each):.0f} |"


def _print_texts(lines: Iterable[Line]) -> None:
    for line in lines:
        scores = ", ".join(f"{score:.2f}" for score in line.scores)
        print(f"\n## {line.candidate}, seed {line.seed}: {scores}{' tied' if line.tied else ''}")
        for agent, text in line.texts.items():
            print(f"{agent} ({line.faults.get(agent) or 'readable'}): {text}")


@contextmanager
def _model_at(url: str) -> Iterator[ChatModel]:
    """Give the product's way to ask the embedded engine as the demo samples."""
    portal, engines = Portal(), MemoryEngineDirectory(clock=SystemClock())
    try:
        endpoint = Endpoint(url, DEFAULT_MODEL, EngineKind.LLAMA_CPP)
        record = OpenAIReadyCheck(api_key="", switch_chosen=False)(endpoint.record, CALL_S)
        dialect = record.dialect.model_copy(update={"extra_body": SAMPLING})
        engines.publish(record.model_copy(update={"dialect": dialect}), ttl_s=365 * DAY_S)
        yield OpenAIChatModel(engines, portal, api_key=lambda record: "")
    finally:
        portal.close()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests.bench.demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--engine-url", help="of a running embedded engine, ending in /v1; default: one is started"
    )
    parser.add_argument(
        "--plans", nargs="+", type=Path, default=[SHIPPED], help="plan files; default: the shipped one"
    )
    parser.add_argument("--ballots", nargs="+", choices=("listwise", "pointwise"), default=["pointwise"])
    parser.add_argument("--second-look", nargs="+", choices=("yes", "no"), default=["yes"], help="at a tie")
    parser.add_argument("--seeds", type=int, default=10, help="0 to this")
    parser.add_argument("--lines", type=Path, help="file in which what was tried is kept; default: none is")
    parser.add_argument("--texts", action="store_true", help="print the proposals, too")
    parser.add_argument("--table", action="store_true", help="ask no model, print what the file holds")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
