"""What the ready check finds out about engines that answer each in its own way."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

import pytest
from aiohttp import web

from domain.chat import FailureReason
from domain.engine import EngineKind, EngineRecord, ThinkingSwitch
from domain.thinking import Thoughts, ThoughtsPlace
from tests.support.http_routes import serving
from workers.adapters.openai.ready_check import OpenAIReadyCheck
from workers.engines.engine import ReadyCheck
from workers.engines.errors import CannotChat
from workers.engines.kinds import ENGINES
from workers.engines.ready_report import found_out

Body = dict[str, Any]
Say = Callable[[Body], Body | str]
"""From a request to the message, or the sentence with which it is refused."""
THOUGHT = "Okay, a single word."


class Engine:
    """OpenAI's API over one function."""

    def __init__(self, say: Say, refuses_with: int = 400) -> None:
        self.say = say
        self.refuses_with = refuses_with
        self.bodies: list[Body] = []

    async def chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        said = self.say(body)
        if isinstance(said, str):
            return web.json_response({"error": {"message": said}}, status=self.refuses_with)
        finish, logprobs = said.pop("finish", "stop"), said.pop("logprobs", None)
        choice = {"message": said, "finish_reason": finish, "logprobs": logprobs}
        return web.json_response({"choices": [choice]})

    async def tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.prompt = self.render(body)
        return web.json_response({"tokens": list(self.prompt.encode()), "count": len(self.prompt)})

    async def detokenize(self, request: web.Request) -> web.Response:
        return web.json_response({"prompt": bytes((await request.json())["tokens"]).decode()})

    def render(self, body: Body) -> str:
        return "<|im_start|>assistant\n"

    @property
    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/chat/completions", self.chat),
            web.post("/tokenize", self.tokenize),
            web.post("/detokenize", self.detokenize),
        ]


class OpeningEngine(Engine):
    """An engine whose chat template opens a thought where thinking is not switched off, as Qwen3's may."""

    def render(self, body: Body) -> str:
        return f"<|im_start|>assistant\n{'<think>' if thinks(body) else '<think></think>'}\n"


def thinks(body: Body) -> bool:
    return bool(body.get("chat_template_kwargs", {}).get("enable_thinking", True))


def ballot(body: Body) -> bool:
    return "structured_outputs" in body or "response_format" in body


def token(text: str, **alternatives: float) -> Body:
    rows = [{"token": name.strip("_"), "logprob": log(share)} for name, share in alternatives.items()]
    return {"token": text, "logprob": -0.1, "top_logprobs": rows}


TOLD = {
    "content": [token("A"), token(":"), token(" "), token("7", _7=0.9, _5=0.1), token("\nB: "), token("5", _5=1.0)]
}


def plain(body: Body) -> Body:
    if "response_format" in body:
        return {"content": '{"A": 7, "B": 5}'}
    return {"content": "A: 7\nB: 5" if ballot(body) else "ready"}


@pytest.fixture
def check() -> ReadyCheck:
    return OpenAIReadyCheck(api_key="", switch_chosen=False)


def examined(check: ReadyCheck, engine: Engine, kind: EngineKind = EngineKind.VLLM) -> EngineRecord:
    with serving(engine.routes) as url:
        known = ENGINES[kind]
        record = EngineRecord(name="e", model="m", url=f"{url}/v1", kind=kind, guidance=known.guidance)
        dialect = record.dialect.model_copy(update={"thinking_switch": known.thinking_switch})
        return check(record.model_copy(update={"dialect": dialect}), 20.0)


def test_a_plain_model_needs_nothing(check: ReadyCheck) -> None:
    engine = Engine(plain)
    found = examined(check, engine)
    assert (found.found.thoughts, found.found.ballot) == (Thoughts.NEVER, "kept")
    assert found.dialect.system_turn
    assert found.found.template_opens == "never"
    first = engine.bodies[0]
    assert [turn["role"] for turn in first["messages"]] == ["system", "user"]
    assert {"temperature", "seed", "max_tokens", "chat_template_kwargs"} <= first.keys()


def test_a_model_that_thinks_when_asked_to_is_found(check: ReadyCheck) -> None:
    def say(body: Body) -> Body:
        return {"content": f"<think>{THOUGHT}</think>ready"} if thinks(body) else plain(body)

    found = examined(check, Engine(say)).found
    assert (found.thoughts, found.place, found.ballot) == (Thoughts.ON_DEMAND, ThoughtsPlace.TEXT, "kept")


def test_a_model_that_always_thinks_gets_room_in_its_ballots(check: ReadyCheck) -> None:
    def say(body: Body) -> Body:
        if ballot(body) and body["max_tokens"] > 1000:
            return {"content": "A: 7\nB: 5", "reasoning": THOUGHT}
        return {"content": None, "reasoning": THOUGHT, "finish": "length"}

    found = examined(check, Engine(say))
    assert (found.found.thoughts, found.found.place) == (Thoughts.ALWAYS, ThoughtsPlace.BESIDE)
    assert found.found.ballot == "kept"
    assert found_out(found) == (
        "it can't be kept from thinking, beside the text; a bounded ballot keeps its form, "
        "without the digits' probabilities: scores count as written"
    )


def test_a_thought_that_the_template_opens_is_known_although_no_tag_is_in_the_answer(check: ReadyCheck) -> None:
    def say(body: Body) -> Body:
        return {"content": THOUGHT, "finish": "length"} if thinks(body) else plain(body)

    found = examined(check, OpeningEngine(say)).found
    assert found.template_opens == "on"
    assert (found.thoughts, found.place) == (Thoughts.ON_DEMAND, ThoughtsPlace.TEXT)


@pytest.mark.parametrize("status", [400, 500])
def test_a_template_without_a_system_role_gets_its_text_before_the_users(check: ReadyCheck, status: int) -> None:
    def say(body: Body) -> Body | str:
        roles = [turn["role"] for turn in body["messages"]]
        return "Conversation roles must alternate user/assistant" if "system" in roles else plain(body)

    engine = Engine(say, refuses_with=status)
    found = examined(check, engine)
    assert not found.dialect.system_turn
    (turn,) = engine.bodies[-1]["messages"]
    assert turn["content"].startswith("You are a member of a council.\n\n")


def test_an_engine_that_refuses_the_switch_is_asked_without_it(check: ReadyCheck) -> None:
    def say(body: Body) -> Body | str:
        return "Unrecognized request argument" if "chat_template_kwargs" in body else plain(body)

    found = examined(check, Engine(say), EngineKind.EXTERNAL)
    assert found.dialect.thinking_switch is ThinkingSwitch.NONE
    assert found.dialect.system_turn
    assert found.found.ballot == "kept"


def test_a_switch_that_the_operator_chose_is_kept(check: ReadyCheck) -> None:
    def say(body: Body) -> Body | str:
        return "Unrecognized request argument" if "chat_template_kwargs" in body else plain(body)

    with pytest.raises(CannotChat, match="Unrecognized request argument"):
        examined(OpenAIReadyCheck(api_key="", switch_chosen=True), Engine(say))


@pytest.mark.parametrize(
    ("message", "expected"),
    [({"content": "I would rather not."}, "off_form"), ({"content": "", "finish": "length"}, "none")],
)
def test_a_ballot_that_does_not_come_is_told(check: ReadyCheck, message: Body, expected: str) -> None:
    found = examined(check, Engine(lambda body: dict(message) if ballot(body) else plain(body)))
    assert found.found.ballot == expected


def test_a_model_that_refuses_everything_cannot_chat(check: ReadyCheck) -> None:
    with pytest.raises(CannotChat, match="no chat template") as refused:
        examined(check, Engine(lambda body: "the model has no chat template"))
    assert refused.value.reason is FailureReason.REFUSED


def test_a_wrong_path_names_the_remedy(check: ReadyCheck) -> None:
    engine = Engine(plain)
    with serving([web.post("/chat/completions", engine.chat)]) as url:
        record = EngineRecord(
            name="e",
            model="m",
            url=f"{url}/v1",
            kind=EngineKind.EXTERNAL,
            guidance=ENGINES[EngineKind.VLLM].guidance,
        )
        with pytest.raises(CannotChat, match="as in http://host:8000/v1"):
            check(record, 20.0)


def tells(body: Body) -> Body:
    """Answer a ballot with its digits' probabilities, as vLLM and llama.cpp do."""
    return plain(body) | ({"logprobs": TOLD} if body.get("logprobs") else {})


def refuses(body: Body) -> Body | str:
    return "logprobs is not supported with this model" if "logprobs" in body else plain(body)


def test_an_engine_that_tells_probabilities_is_asked_for_them_with_ballots_alone(check: ReadyCheck) -> None:
    engine = Engine(tells)
    found = examined(check, engine)
    assert (found.found.ballot, found.found.logprobs) == ("kept", "given")
    assert [ballot(body) for body in engine.bodies] == ["logprobs" in body for body in engine.bodies]
    assert engine.bodies[-1]["top_logprobs"] == 20


def test_an_engine_that_refuses_probabilities_gives_ballots_without_and_is_not_asked_again(
    check: ReadyCheck,
) -> None:
    engine = Engine(refuses)
    found = examined(check, engine)
    assert (found.found.ballot, found.found.logprobs) == ("kept", "refused")
    assert "probabilities are refused: scores count as written" in found_out(found)
    assert ["logprobs" in body for body in engine.bodies if ballot(body)] == [True, False]


def test_an_engine_that_refuses_every_ballot_is_not_said_to_refuse_probabilities(check: ReadyCheck) -> None:
    engine = Engine(lambda body: "no such field" if ballot(body) else plain(body))
    found = examined(check, engine)
    assert (found.found.ballot, found.found.logprobs) == ("none", "unknown")
