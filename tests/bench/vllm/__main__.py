"""The pipeline against the real vLLM, beside the same council's work one call after another, in one run.

Every run deliberates on a plan of its own, so that no run finds another's prompts in the prefix cache.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai import OpenAI
from rich.console import Console
from rich.table import Table

from domain.contract import CompletedBody
from domain.council import Council
from domain.deliberation import Deliberation
from domain.entry import Closed
from domain.identity import deliberation_id
from domain.opening import open_deliberation
from domain.services import Services
from tests.bench.vllm.against import Engine, compare
from tests.bench.vllm.plain import plain
from tests.bench.vllm.sequential import Run, sequential
from tests.support.factories import fresh, plan, plan_request
from tests.support.fleet import Fleet, Service
from tests.support.servers import NatsServer, ValkeyServer
from tests.support.vllm import build
from tests.support.vllm.serve import READY_WITHIN_S, environment, vllm_spec
from workers.app import make_app
from workers.composition import Composition
from workers.councils.read import default_councils
from workers.engines.vllm_engine import VllmEngine
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import HOST, free_port
from workers.processes.readiness import http_answers, wait_until
from workers.settings import Settings

MAX_TOKENS = 128
LEAST_SHARE = 0.95
"""Of the plain loop's tokens per second. How much slower one call after another is depends on the processor."""
REPEATS = {3: 6, 8: 4}
"""Pairs of pipeline and plain loop; every second one is followed by the slow baseline, which varies less."""
DESCRIPTION = (
    "A link by mail that works once and within an hour. People who are signed in elsewhere stay signed in until "
    "the password is changed. The mail says who asked, from where, and what to do if it was somebody else. "
    "Nothing tells whether an address is known to us. The limit is five mails per address and day."
)
LOOK_EVERY_S = 0.25
console = Console(width=120)


@dataclass(frozen=True)
class Measured:
    """One deliberation by the pipeline."""

    seconds: float
    decision: CompletedBody

    @property
    def tokens_per_s(self) -> float:
        return self.decision.usage.completion_tokens / self.seconds

    @property
    def hit_rate(self) -> float:
        usage = [ballot.usage for ballot in self.decision.ballots]
        return sum(part.cached_tokens for part in usage) / sum(part.prompt_tokens for part in usage)

    @property
    def tokens_a_proposal(self) -> float:
        scored = sum(len(ballot.scores) for ballot in self.decision.ballots)
        return sum(ballot.usage.completion_tokens for ballot in self.decision.ballots) / max(1, scored)


def main() -> int:
    """Print the table; 1 if the goal is missed."""
    options = _options()
    if options.against:
        return 0 if _against(options) else 1
    build.build()
    missed = False
    with tempfile.TemporaryDirectory() as folder, _stage(Path(folder)) as (services, url):
        table = Table(
            *("agents", "one after another", "pipeline", "times faster", "plain loop", "tokens/s of plain"),
            *("review hit rate", "ballot tokens a proposal"),
            title=f"real vLLM, {MAX_TOKENS} tokens a proposal, ballots as by default",
        )
        for agents in REPEATS:
            row, met = _compare(services, url, agents, options.rounds or REPEATS[agents])
            table.add_row(*row)
            missed = missed or not met
    console.print(table)
    console.print(f"goal: tokens/s at least {LEAST_SHARE} of the plain loop's; all else is told, not judged")
    return 1 if missed else 0


def _compare(services: Services, url: str, agents: int, repeats: int) -> tuple[list[str], bool]:
    council = _council(agents)
    services.councils.save(council)
    _pipeline(services, council.role)
    ours, before, ceiling = [], [], []
    with OpenAI(base_url=url, api_key="none", max_retries=0, timeout=600) as client:
        for repeat in range(repeats):
            # Whichever of a pair comes first is a little slower or faster, so they take turns.
            if repeat % 2:
                ceiling.append(plain(url, _deliberation(services, council)))
                ours.append(_pipeline(services, council.role))
                before.append(sequential(client, _deliberation(services, council)))
            else:
                ours.append(_pipeline(services, council.role))
                ceiling.append(plain(url, _deliberation(services, council)))
    faster = statistics.median(run.seconds for run in before) / statistics.median(one.seconds for one in ours)
    share = statistics.median(one.tokens_per_s / _rate(run) for one, run in zip(ours, ceiling, strict=True))
    hit_rate = statistics.median(one.hit_rate for one in ours)
    row = [
        str(agents),
        f"{statistics.median(run.seconds for run in before):.1f} s ({before[0].calls} calls)",
        f"{statistics.median(one.seconds for one in ours):.1f} s",
        f"{faster:.1f}",
        f"{statistics.median(run.seconds for run in ceiling):.1f} s",
        f"{share:.2f}",
        f"{hit_rate:.2f}",
        f"{statistics.median(one.tokens_a_proposal for one in ours):.1f}",
    ]
    return row, share >= LEAST_SHARE


def _rate(run: Run) -> float:
    return run.completion_tokens / run.seconds


def _council(agents: int) -> Council:
    """Return a council of shipped personas, so that prompts are as long as a user's."""
    members = [agent for council in default_councils() for agent in council.agents][:agents]
    return Council(role=f"BENCH{agents}", agents=tuple(members))


def _request(role: str) -> Any:
    wanted = plan(roles=(role,), title=fresh("Reset a password"), description=DESCRIPTION)
    limits = wanted.constraints.model_copy(update={"max_tokens": MAX_TOKENS})
    return plan_request(wanted.model_copy(update={"constraints": limits}))


def _deliberation(services: Services, council: Council) -> Deliberation:
    return open_deliberation(_request(council.role), council, [], services.policy, now=services.clock.now())


def _pipeline(services: Services, role: str) -> Measured:
    """Have a plan deliberated by the running fleet; timed from its acceptance to its decision."""
    request = _request(role)
    identity = deliberation_id(request.plan.plan_id, role, request.revision)
    began = services.clock.now()
    services.dispatcher.plans([request])
    # The engine computes on every core there is: looking often would slow what is measured.
    decided = wait_until(lambda: _closed(services, identity) is not None, within=600, every=LOOK_EVERY_S)
    assert decided, "no decision within 600 s"
    closed = _closed(services, identity)
    assert closed is not None
    assert closed.decision is not None, closed.reason
    return Measured(closed.at - began, closed.decision)


def _closed(services: Services, identity: str) -> Closed | None:
    try:
        return services.deliberations.load(identity).closed
    except LookupError:
        return None


def _against(options: argparse.Namespace) -> bool:
    """Compare this code with an older commit's on an engine that runs, or on a vLLM of our own."""
    plan = {
        "story_id": "bench",
        "approved_by": "bench",
        "timestamp": "2026-01-31T12:00:00Z",
        "description": DESCRIPTION,
        "constraints": {"max_tokens": MAX_TOKENS},
    }
    councils = {_council(agents): options.rounds or repeats for agents, repeats in REPEATS.items()}
    with tempfile.TemporaryDirectory() as folder, _engine(options, Path(folder)) as engine:
        return compare(engine, options.against, councils, plan, folder=Path(folder))


@contextmanager
def _engine(options: argparse.Namespace, folder: Path) -> Iterator[Engine]:
    if options.engine_url:
        yield Engine(options.engine_url, options.model, options.guidance)
        return
    build.build()
    guard, spec, port = Guard(), vllm_spec(folder / "engines"), free_port()
    launch = VllmEngine().launch(spec, port)
    ready = http_answers(f"http://{HOST}:{port}/health")
    command = ProcessCommand(name="vllm", argv=launch.argv, env=launch.env, ready=ready)
    vllm = Service(command, folder=folder / "logs", guard=guard)
    try:
        vllm.start(wait=False)
        assert wait_until(lambda: ready(vllm.log), within=READY_WITHIN_S), vllm.log.tail()
        yield Engine(f"http://{HOST}:{port}/v1", spec.model, "regex")
    finally:
        vllm.close()
        guard.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.bench.vllm", description=__doc__)
    parser.add_argument("--against", metavar="COMMIT", default="", help="compare with an older commit, in turns")
    parser.add_argument("--rounds", type=int, help=f"pairs of turns; by default, by agents, {REPEATS}")
    parser.add_argument("--engine-url", default="", help="with --against: an engine's address, ending in /v1")
    parser.add_argument("--model", default="", help="its model's name")
    parser.add_argument("--guidance", default="regex", choices=["regex", "grammar", "json_schema"])
    return parser.parse_args()


@contextmanager
def _stage(folder: Path) -> Iterator[tuple[Services, str]]:
    guard, spec = Guard(), vllm_spec(folder / "engines")
    try:
        with (
            NatsServer(folder / "nats", guard=guard) as nats,
            ValkeyServer(folder / "valkey", guard=guard) as valkey,
            Fleet(
                folder, guard, nats_url=nats.url, redis_url=valkey.url, model=spec.model, env=environment(spec)
            ) as fleet,
        ):
            settings = Settings.model_validate(
                {"nats": {"url": nats.url}, "redis_url": valkey.url, "model": spec.model, "policy": {"judges": 0}}
            )
            services = Composition(settings).services(make_app(settings))
            for one in (fleet.bridge(), fleet.control(), fleet.worker()):
                one.start()
            assert wait_until(lambda: bool(services.engines.serving(spec.model)), within=READY_WITHIN_S), (
                "vLLM did not come up"
            )
            yield services, services.engines.all()[0].url
    finally:
        guard.close()


if __name__ == "__main__":
    sys.exit(main())
