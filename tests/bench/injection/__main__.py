"""Measure what attacks gain and what defences are worth: `python -m tests.bench.injection --help`.

Every hostile case is tried beside the same case without its injection, and with a harmless sentence in its
place, in arms without any defence, with each alone, and with all. What was tried is a line of a file: the same
command again goes on where the last one stopped. The embedded engine, which answers where no URL is given, scores
every text alike: it shows that the bench runs, and no gain.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

from domain.deliberation import BallotForm
from domain.engine import EngineKind
from domain.ports.chat_model import ChatModel
from tests.bench.council.council import CALL_S, DAY_S, Endpoint
from tests.bench.injection.defences import ARMS
from tests.bench.injection.tables import tables
from tests.bench.injection.tally import Cell, Line
from tests.bench.injection.trials import FAMILIES, VARIANTS, Trial, chosen
from tests.bench.injection.vote import Remembering, tried
from tests.support.fleet import Service
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.adapters.openai.ready_check import OpenAIReadyCheck
from workers.engines.llama_server import DEFAULT_MODEL, engine_url, llama_server
from workers.portal import Portal
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.proving.line_file import LineFile


def main(arguments: Sequence[str] | None = None) -> None:
    """Try what is missing, then print the tables."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = options.lines or Path(folder) / "injection.jsonl"
        if not options.table:
            with (
                serving(options.engine_url, folder) as url,
                _model_at(Endpoint(url, options.model, options.kind)) as model,
            ):
                _try(options, Remembering(model), path)
        for line in tables(read_lines(path)):
            print(line)


def _try(options: argparse.Namespace, model: ChatModel, path: Path) -> None:
    done = {line.cell for line in read_lines(path)}
    missing = [(trial, cell) for trial, cell in _cells(options) if cell not in done]
    for place, (trial, cell) in enumerate(missing, start=1):
        result = tried(
            trial,
            cell.variant,
            arm=cell.arm,
            base=cell.base,
            seed=cell.seed,
            model=model,
            name=cell.model,
            ballots=options.ballots,
        )
        line = Line(**cell._asdict(), measure=trial.measure, score=result.score, rank=result.rank)
        LineFile(path).append(line.model_dump(mode="json"))
        print(f"\r{place} of {len(missing)}", end="", file=sys.stderr, flush=True)


def _cells(options: argparse.Namespace) -> Iterator[tuple[Trial, Cell]]:
    """Give everything to try; what is there after any part of the time covers all families and arms alike."""
    for seed in range(options.seeds):
        for place, trial in enumerate(chosen(options.families, options.sample)):
            for arm in options.arms:
                for variant in VARIANTS:
                    base = place // len(options.families) % options.bases
                    yield trial, Cell(options.model, arm, trial.family, trial.name, base, seed, variant)


def read_lines(path: Path) -> list[Line]:
    """Return what the file holds."""
    return [Line.model_validate(line) for line in LineFile(path).read()]


@contextmanager
def serving(url: str | None, folder: str) -> Iterator[str]:
    """Give the URL, or that of an embedded engine which runs meanwhile."""
    if url is not None:
        yield url
        return
    guard, port = Guard(), free_port()
    try:
        Service(llama_server(port=port), folder=Path(folder), guard=guard).start()
        yield engine_url(port)
    finally:
        guard.close()


@contextmanager
def _model_at(endpoint: Endpoint) -> Iterator[ChatModel]:
    """Give the product's way to ask the engine at a URL."""
    key, portal = os.environ.get("OPENAI_API_KEY", ""), Portal()
    engines = MemoryEngineDirectory(clock=SystemClock())
    try:
        check = OpenAIReadyCheck(api_key=key, switch_chosen=False)
        engines.publish(check(endpoint.record, CALL_S), ttl_s=365 * DAY_S)
        yield OpenAIChatModel(engines, portal, api_key=lambda record: key)
    finally:
        portal.close()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests.bench.injection", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--engine-url", help="base address of an OpenAI API, ending in /v1; default: the embedded one"
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="the served model's name")
    parser.add_argument(
        "--kind",
        type=EngineKind,
        choices=list(EngineKind),
        default=EngineKind.LLAMA_CPP,
        help="how ballots are kept to their form: vllm by a regex, llama.cpp by a grammar, external by a schema",
    )
    parser.add_argument(
        "--ballots",
        choices=get_args(BallotForm),
        default="pointwise",
        help="how ballots are asked for; each form wants a file of its own",
    )
    parser.add_argument("--lines", type=Path, help="file in which what was tried is kept; default: none is")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES, help="kinds of attacks")
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS), help="sets of defences")
    parser.add_argument("--sample", type=int, default=2, help="attacks of each family")
    parser.add_argument("--bases", type=int, default=2, help="weak texts that attacks are put into, up to 5")
    parser.add_argument("--seeds", type=int, default=2, help="orders in which texts are shown")
    parser.add_argument("--table", action="store_true", help="ask no model, print what the file holds")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
