"""A request says in each engine's dialect how much may be written, and whether the model shall think."""

from __future__ import annotations

import pytest

from domain.chat import ChatRequest, Message, ScoreForm
from domain.engine import Dialect, EngineKind, EngineRecord, Guidance, ReadyCheckResult, ThinkingSwitch
from domain.thinking import ROOM, Thoughts
from workers.adapters.openai.request import request_body, token_bound

TURNS = (Message(role="system", content="You judge."), Message(role="user", content="A or B?"))
FORM = ScoreForm(lines=("A fit", "A clarity", "B fit", "B clarity"))


def record(dialect: Dialect | None = None, *, context_length: int = 0, **found: object) -> EngineRecord:
    return EngineRecord(
        name="e",
        model="m",
        url="http://h/v1",
        kind=EngineKind.VLLM,
        guidance=Guidance.REGEX,
        context_length=context_length,
        dialect=dialect or Dialect(),
        found=ReadyCheckResult.model_validate(found),
    )


def request(**more: object) -> ChatRequest:
    known = {"key": "k", "model": "m", "messages": TURNS, "max_tokens": 100, "temperature": 0.7, "seed": 3}
    return ChatRequest.model_validate({**known, "timeout_s": 1.0, **more})


def test_a_plain_request_is_openais() -> None:
    assert request_body(request(), record()) == {
        "model": "m",
        "messages": [{"role": "system", "content": "You judge."}, {"role": "user", "content": "A or B?"}],
        "max_tokens": 100,
        "temperature": 0.7,
        "seed": 3,
    }


def test_a_gateway_gets_what_it_takes() -> None:
    dialect = Dialect(
        tokens_field="max_completion_tokens", omit=("temperature", "seed"), extra_body={"service_tier": "flex"}
    )
    body = request_body(request(), record(dialect))
    assert body.keys() == {"model", "messages", "max_completion_tokens", "service_tier"}
    assert body["max_completion_tokens"] == 100


def test_without_a_system_turn_its_text_stands_before_the_users() -> None:
    body = request_body(request(), record(Dialect(system_turn=False)))
    assert body["messages"] == [{"role": "user", "content": "You judge.\n\nA or B?"}]


@pytest.mark.parametrize(
    ("switch", "off", "on"),
    [
        (
            ThinkingSwitch.TEMPLATE,
            {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}},
            {"chat_template_kwargs": {"enable_thinking": True, "thinking": True}},
        ),
        (ThinkingSwitch.EFFORT, {"reasoning_effort": "low"}, {"reasoning_effort": "medium"}),
        (ThinkingSwitch.NONE, {}, {}),
    ],
)
def test_thinking_is_asked_for_in_the_engines_way(
    switch: ThinkingSwitch, off: dict[str, object], on: dict[str, object]
) -> None:
    engine = record(Dialect(thinking_switch=switch))
    plain = request_body(request(), record())
    assert request_body(request(), engine) == plain | off
    assert request_body(request(thinking_tokens=50), engine) == plain | {"max_tokens": 150} | on


@pytest.mark.parametrize(
    ("thoughts", "asked", "room"),
    [
        (Thoughts.UNKNOWN, 0, 0),
        (Thoughts.UNKNOWN, 50, 50),
        (Thoughts.ON_DEMAND, 0, 0),
        (Thoughts.ON_DEMAND, 50, 50),
        (Thoughts.NEVER, 50, 0),
        (Thoughts.ALWAYS, 0, ROOM),
        (Thoughts.ALWAYS, 50, 50),
    ],
)
def test_thoughts_come_on_top_of_the_answer(thoughts: Thoughts, asked: int, room: int) -> None:
    engine = record(thoughts=thoughts)
    assert token_bound(request(thinking_tokens=asked), engine) == 100 + room
    ballot = request(form=FORM, max_tokens=FORM.max_tokens, thinking_tokens=asked)
    assert token_bound(ballot, engine) == FORM.max_tokens + room


def test_a_model_that_always_thinks_leaves_most_of_its_context_to_the_prompt() -> None:
    assert token_bound(request(), record(thoughts="always", context_length=8192)) == 100 + 2048
