"""Which engine a call goes to, and what the failure says when none may serve it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.chat import ChatRequest, FailureReason, Message
from domain.engine import EngineKind, EngineRecord, Guidance
from workers.adapters.openai.chat_model import least_loaded, not_served


def record(name: str, **more: object) -> EngineRecord:
    known = {"name": name, "model": "m", "url": "http://10.0.0.1:8000/v1", "kind": EngineKind.VLLM}
    return EngineRecord.model_validate({**known, "guidance": Guidance.REGEX, **more})


def asking(model: str) -> ChatRequest:
    message = Message(role="user", content="?")
    return ChatRequest(key="k", model=model, messages=(message,), max_tokens=1, timeout_s=1)


records = st.lists(
    st.builds(
        record,
        st.text("abc", min_size=1, max_size=3),
        slots=st.integers(0, 8),
        in_flight=st.integers(0, 20),
        waiting=st.integers(0, 5),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda engine: engine.name,
)


def test_the_engine_with_the_least_to_do_per_slot_is_chosen() -> None:
    small, large = record("small", slots=2, in_flight=2), record("large", slots=8, in_flight=4)
    assert least_loaded([small, large], lambda engine: 0) is large


def test_calls_of_this_process_count_before_the_engine_has_told_of_them() -> None:
    first, second = record("a", slots=4), record("b", slots=4)
    assert least_loaded([first, second], lambda engine: 3 if engine is first else 0) is second


@given(engines=records, avoid=st.text("abc", max_size=3))
def test_an_engine_to_avoid_is_chosen_only_if_there_is_no_other(engines: list[EngineRecord], avoid: str) -> None:
    chosen = least_loaded(engines, lambda engine: 0, avoid)
    assert chosen in engines
    assert chosen.name != avoid or len(engines) == 1


@given(engines=records)
def test_the_order_of_the_directory_does_not_matter(engines: list[EngineRecord]) -> None:
    assert least_loaded(engines, lambda engine: 0) == least_loaded(engines[::-1], lambda engine: 0)


def test_a_model_served_only_on_another_loopback_is_named_with_the_remedy() -> None:
    failed = not_served(asking("m"), [record("there", url="http://127.0.0.1:1/v1", node="gpu-2")])
    assert failed.reason is FailureReason.NOT_SERVED
    assert "only on the loopback address of gpu-2" in failed.detail


def test_a_model_without_an_engine_is_named_with_the_models_that_have_one() -> None:
    failed = not_served(asking("x"), [record("a", model="m"), record("b", model="m"), record("c", model="n")])
    assert failed.detail == "no live engine serves x; served now: m (2), n (1)"
    assert not_served(asking("x"), []).detail == "no live engine serves x; served now: nothing"
