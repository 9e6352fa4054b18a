"""On a terminal, no command passes on what a plan, a council, an engine or a message would have it do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.chat import ChatFailure, ChatOutcome, ChatRequest, FailureReason
from domain.council import Council
from domain.deliberation import ReviewRules
from domain.parked import Parked
from domain.plan import Constraints
from domain.policy import Policy
from domain.rubric import Criterion, Rubric
from domain.services import Services
from domain.statistics import tally_of
from tests.support import factories as make
from tests.support.commands import Run
from tests.support.hostile_text import HOSTILE, commands_in
from tests.support.scripted_model import answer
from tests.support.servers import NatsServer
from tests.support.stage import Stage
from tests.support.streams import leave_dead_letter
from tests.support.terminal import on_terminal
from workers.settings import Settings

ROLE = f"DEV{HOSTILE[:120]}"
RUBRIC = Rubric(criteria=(Criterion(name=f"fit{HOSTILE[:60]}"), Criterion(name="cost")))


def hostile_council() -> Council:
    agents = tuple(
        make.agent(f"a{number}{HOSTILE[:100]}", seed=number, persona=HOSTILE, model=f"m{HOSTILE[:100]}")
        for number in range(4)
    )
    return make.council(ROLE, agents=agents, architect=make.agent(f"chief{HOSTILE[:90]}", seed=9, persona=HOSTILE))


def script(request: ChatRequest, before: int) -> ChatOutcome | None:
    """Let the first agent's engine fail in hostile words; everybody else writes them."""
    if request.seed == 0:
        return ChatFailure(key=request.key, reason=FailureReason.REFUSED, detail=f"refused: {HOSTILE}")
    return None if request.form is not None else answer(request, f"{HOSTILE}\nStep.\r\n{HOSTILE}")


def keep(stage: Stage, identity: str, services: Services) -> str:
    """Write a record's entries, with its counters, into the store and return its id."""
    record = stage.record(identity)
    for entry in sorted(record.entries.values(), key=lambda one: {"opened": -1, "closed": 1}.get(one.key, 0)):
        counters = tally_of(record, record.closed) if entry is record.closed and record.closed else {}
        services.deliberations.record(identity, entry, counters=counters)
    return identity


@pytest.fixture
def stage() -> Stage:
    stage = Stage(
        hostile_council(), policy=Policy(model="tiny", review=ReviewRules(explain_top=2, synthesis=True))
    )
    stage.model.follow(script)
    return stage


@pytest.fixture
def request_id(stage: Stage) -> str:
    plan = make.plan(
        plan_id=make.fresh(f"plan{HOSTILE}"),
        story_id=HOSTILE,
        roles=(ROLE,),
        title=HOSTILE,
        constraints=Constraints(rubric=RUBRIC),
    )
    request = make.plan_request(plan)
    stage.play(request)
    return request.request_id


@pytest.fixture
def decided(stage: Stage, request_id: str, services: Services) -> str:
    (identity,) = stage.services.deliberations.newest(1)
    services.councils.save(hostile_council())
    services.plans.save([stage.services.plans.load(request_id)])
    return keep(stage, identity, services)


@pytest.fixture
def letter(environment: Settings, own_nats: NatsServer) -> int:
    """A dead letter with hostile reason, headers and body; its number."""
    one_line = HOSTILE.replace("\x0b", "").replace("\x0c", "")
    headers = {
        "Conclave-Reason": one_line,
        "Conclave-Subject": f"planning.{one_line}",
        "Conclave-Headers": json.dumps({f"X-{HOSTILE}": HOSTILE}),
    }
    body = f"{HOSTILE}\r\n{HOSTILE}".encode() + b"\x9b31m\xff"
    return leave_dead_letter(own_nats.url, body, headers)


@pytest.fixture
def parked(services: Services) -> None:
    services.parking.put(
        Parked(parked_id="a1", at=1.0, queue=f"llm.{HOSTILE}", reason=HOSTILE, message=HOSTILE.encode().hex())
    )
    services.parking.put(Parked(parked_id="b2", at=2.0, queue="q", reason=HOSTILE, task=HOSTILE, subject=HOSTILE))


def assert_harmless(*arguments: str, exit_code: int = 0, escape: str = "\\x1b") -> str:
    """Run a command on a terminal; what was hidden is to be seen by its escape. Return the output."""
    shown = on_terminal(*arguments)
    assert commands_in(shown.output) == []
    assert escape in shown.output
    assert "Traceback" not in shown.output
    assert shown.exit_code == exit_code, shown.output[-400:]
    return shown.output


def test_deliberations_are_listed_shown_and_watched(decided: str) -> None:
    assert_harmless("deliberation", "list")
    shown = assert_harmless("deliberation", "show", decided, "--full")
    assert "[bold red]markup[/bold red]" in shown
    assert "refused" in assert_harmless("deliberation", "watch", decided)
    for command in ("show", "watch"):
        assert_harmless("deliberation", command, decided, "--json", escape="\\u001b")


def test_statistics_councils_and_schedules(run: Run, services: Services, decided: str) -> None:
    plan_id = services.deliberations.load(decided).deliberation.plan.plan_id
    added = run("schedule", "add", "--plan", plan_id, "--role", ROLE, "--cron", "0 6 * * *")
    assert added.exit_code == 0, added.output
    for command in (("stats",), ("council", "list"), ("council", "show", ROLE), ("schedule", "list")):
        assert_harmless(*command)


def test_dead_letters(letter: int) -> None:
    for command in (("list", "--after", str(letter - 1)), ("show", str(letter))):
        assert_harmless("dead-letter", *command)


@pytest.mark.usefixtures("parked")
def test_what_is_parked() -> None:
    for command in (("list",), ("show", "a1"), ("show", "b2")):
        assert_harmless("parked", *command)


@pytest.mark.usefixtures("services")
def test_an_approval_and_its_refusal(tmp_path: Path) -> None:
    def approve(exit_code: int, escape: str, **fields: object) -> str:
        file = tmp_path / "plan.json"
        plan = {"story_id": HOSTILE, "plan_id": f"{HOSTILE}\nd-1  forged", "roles": [ROLE], **fields}
        file.write_text(json.dumps(plan))
        return assert_harmless("approve", str(file), exit_code=exit_code, escape=escape)

    assert "\nd-1  forged" not in approve(0, "\\x1b")
    approve(2, "can't be approved", roles=[{HOSTILE: 1}], constraints={HOSTILE: HOSTILE, "rounds": HOSTILE})


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(
    "arguments",
    [
        ("deliberation", "show", HOSTILE),
        ("parked", "show", HOSTILE),
        ("council", "apply", HOSTILE),
        ("schedule", "run-now", HOSTILE),
    ],
)
def test_errors_name_what_was_given_without_obeying_it(arguments: tuple[str, ...]) -> None:
    assert_harmless(*arguments, exit_code=2)


def test_json_stays_json_and_says_what_was_there(run: Run, decided: str, letter: int) -> None:
    shown = json.loads(run("deliberation", "show", decided, "--json").stdout)
    assert shown["progress"]["title"] == HOSTILE
    assert shown["story_id"] == HOSTILE
    plain = json.loads(run("dead-letter", "show", str(letter), "--json").stdout)
    assert plain["headers"] == {f"X-{HOSTILE}": HOSTILE}
