"""A proposal that says back what its author was told is marked; one that quotes the plan and goes on is not."""

# ruff: noqa: RUF001 (Chinese has commas of its own)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import ChatOutcome, ChatRequest
from domain.checks.check import CheckResult, PlanFacts
from domain.checks.echo import Echo, quoted_share
from domain.prompts.critique_questions import REVISER
from domain.prompts.proposal_question import PROPOSER
from domain.steps.conclude import conclude_deliberation
from tests.support.factories import agent, council, plan, plan_request
from tests.support.scripted_model import answer
from tests.support.stage import Stage
from workers.councils.read import default_councils

PERSONA = (
    "You have been woken at night by other people's code. For each step you ask how it fails, who notices, and "
    "how it is undone."
)
DESCRIPTION = (
    "Customers reset a forgotten password by a link that is sent to their address. The link works once and for an "
    "hour. Who asks for many links is slowed down. Support sees when a reset was asked for, never the link itself."
)
CRITERIA = (
    "A link that was used or is older than one hour shows a page that offers a new one.",
    "The sixth request of an address within an hour is answered like the others and sends nothing.",
)
FACTS = PlanFacts(
    title="Password reset",
    description=DESCRIPTION,
    acceptance_criteria=CRITERIA,
    requirements=("No new servers.",),
    instructions=(PROPOSER, REVISER, PERSONA, "Be brief and to the point", "Think."),
)
OWN = (
    "1. Add a table reset_tokens with the hash of each token, its account and the time of its creation; a "
    "migration creates it and a test inserts two tokens. 2. The endpoint POST /reset stores a token and puts a "
    "mail into the outbox; an integration test reads the mail. 3. The page /reset/TOKEN deletes the row in the "
    "transaction that sets the new password, so that a second use finds nothing. 4. A counter per address in the "
    "store expires after an hour; at six nothing is sent, and a test looks at both answers for any difference."
)


def echo(text: str, facts: PlanFacts = FACTS) -> CheckResult:
    return Echo().run(text, facts)


@pytest.mark.parametrize(
    "text",
    [
        OWN,
        f"{OWN}\n\nThis satisfies: {CRITERIA[0]}",
        f"Task: {DESCRIPTION}\n\n{OWN}",
        "You ask how it fails and who notices: alerts do. " + OWN,
        "Concrete steps, in order, and how each is verified. " + OWN,
        "",
        "Password reset",
    ],
    ids=range(7),
)
def test_a_proposal_with_something_of_its_own_passes(text: str) -> None:
    assert echo(text) == CheckResult(name="echo", passed=True, score=1.0)


@pytest.mark.parametrize(
    "text",
    [
        f"{OWN} {PERSONA}",
        f"{OWN}\n\nfor each STEP you ask:\n- how it fails,\n- who notices",
        "You are a member of a council. Each member writes one proposal for how to carry out the task. " + OWN,
        f"{OWN}\n```text\n{PERSONA}\n```",
        f"{OWN}\n**Be brief, and to the point!**",
        OWN + "For each st\u200bep you ask how it fa\u00adils, who notices",
        "Improve your own proposal for the task below. Write the whole proposal anew: concrete steps in order",
    ],
    ids=range(7),
)
def test_instructions_and_personas_are_marked_however_much_else_there_is(text: str) -> None:
    result = echo(text)

    assert (result.passed, result.hard) == (False, False)
    assert result.score <= 0.5
    assert result.reason.startswith("it repeats its author's instructions or persona")
    assert "woken" not in result.reason


def test_a_text_that_is_mostly_the_plan_is_marked_by_its_share() -> None:
    result = echo("\n".join([DESCRIPTION, *CRITERIA, "We will do it step by step and test it well."]))

    assert not result.passed
    assert result.score < 0.3
    assert result.reason.endswith("of it stands in the plan or the instructions")


def test_what_the_plan_says_itself_may_be_quoted() -> None:
    facts = FACTS.model_copy(update={"description": f"{DESCRIPTION} {PERSONA}"})

    assert echo(f"{OWN} {PERSONA}", facts).passed


def test_scripts_without_blanks_are_read_too() -> None:
    facts = PlanFacts(instructions=("你总是先问每一步会怎样失败，谁会注意到。",))

    assert not echo("我们先建表。你总是先问每一步会怎样失败，谁会注意到。", facts).passed
    assert echo("我们先建表，然后写测试，最后部署到生产环境并观察指标。", facts).passed


@pytest.mark.parametrize("persona", [agent.persona for each in default_councils() for agent in each.agents])
def test_every_shipped_persona_is_recognised(persona: str) -> None:
    facts = FACTS.model_copy(update={"instructions": (persona,)})

    assert not echo(f"{OWN} {persona}", facts).passed
    assert echo(OWN, facts).passed


@given(st.text(max_size=300), st.lists(st.text(max_size=60), max_size=4))
def test_any_text_is_survived_and_scored(text: str, instructions: list[str]) -> None:
    result = echo(text, FACTS.model_copy(update={"instructions": tuple(instructions)}))

    assert result.passed == (result.score == 1.0)


def test_the_share_counts_every_word_once() -> None:
    words = [str(number) for number in range(100)]

    assert quoted_share(words, [words[10:60]], 10) == 0.5
    assert quoted_share(words, [words[10:19]], 10) == 0
    assert quoted_share(words[:5], [words], 10) == 0


@pytest.mark.parametrize("unit", ["a ", "a b ", "how it fails who notices ", "1.", "你", "x" * 64])
def test_long_hostile_texts_are_worked_through(unit: str) -> None:
    text = (unit * (65536 // len(unit) + 1))[:65536]
    echo(text, PlanFacts(description=text, instructions=(text, PERSONA)))


def test_the_event_of_a_decision_marks_the_proposal_that_published_its_persona() -> None:
    agents = (agent("one", seed=1, persona=PERSONA), agent("two", seed=2), agent("three", seed=3))
    stage = Stage(council("DEV", agents=agents), checks=(Echo(),))

    def script(request: ChatRequest, before: int) -> ChatOutcome | None:
        told = request.messages[-1].content
        return None if request.form is not None else answer(request, told if request.seed == 1 else OWN)

    stage.model.follow(script)
    deliberation_id = stage.open(plan_request(plan(description=DESCRIPTION)))
    stage.propose(deliberation_id)
    conclude_deliberation(deliberation_id, stage.services)
    closed = stage.record(deliberation_id).closed
    assert closed is not None
    assert closed.decision is not None
    marks = {row.proposal.author.agent_id: row.checks.rows["echo"] for row in closed.decision.decisions}

    assert [agent_id for agent_id, mark in marks.items() if not mark.passed] == ["one"]
    assert marks["one"].score <= 0.5
