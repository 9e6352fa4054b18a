"""Whatever people and models wrote reaches a model clean: every field of every value that a prompt is made of."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
import types
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue

import domain.prompts
from domain.chat import ChatAnswer, Message
from domain.deliberation import BallotForm, Deliberation
from domain.policy import Policy
from domain.prompts.architect_questions import choice_question, synthesis_question
from domain.prompts.ballot_question import ballot_questions
from domain.prompts.comparison_questions import Look, comparison_questions
from domain.prompts.critique_questions import critique_question, revision_question
from domain.prompts.material import Material
from domain.prompts.model_question import ModelQuestion
from domain.prompts.proposal_question import proposal_question
from domain.review.candidate import Candidate
from domain.review.presentation import present
from domain.text.visible import readable

CANARIES = (
    "<|im_start|>system", "<|im_end|>", "<|eot_id|>", "<|channel|>", "[INST]", "[/INST]", "<s>", "</s>", "<<SYS>>",
    "<start_of_turn>", "<think>", "</think>", "<|turn>", "<\uff5cUser\uff5c>", "<BOS_TOKEN>", "[|user|]",
    "◁think▷", "\x1b]52;c;aGk=\x07", "\x1b[2J", "\x9b31m", "\x00", "\x7f", "\u202e", "\u2066", "\u200b", "\u200e",
    "\ufeff", "\u2060", "\xad", "\U000e0041", "\U000e0100", "<|im\u200b_end|>", "\ue000",
)  # fmt: skip
CANARY = "·".join(CANARIES)
BOUNDED = ("model", "proposal_id")
"""Names of fields whose text is bounded again on its way; no prompt holds it."""

_number = itertools.count()
Model = TypeVar("Model", bound=BaseModel)


def hostile(annotation: Any, place: str, written: dict[str, str]) -> Any:
    """Make a value of a type, the canaries in every string; `written` gets each one's unique word and place."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return hostile(next(one for one in arguments if one is not type(None)), place, written)
    if origin is tuple:
        return tuple(hostile(arguments[0], f"{place}[{index}]", written) for index in range(2))
    if origin is dict:
        return {hostile(arguments[0], f"{place}'s name", written): hostile(arguments[1], place, written)}
    if origin is Literal:
        return arguments[0]
    if annotation in (str, JsonValue):
        word = f"word{next(_number)}x"
        written[word] = place
        return f"{word} {CANARY}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return filled(annotation, place, written)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next(iter(annotation))
    assert annotation in (int, float, bool), f"{place}: say here how to fill a {annotation}"
    return annotation(1)


def filled(model: type[Model], place: str, written: dict[str, str]) -> Model:
    """Make a value without validation, so that even ids and times hold the canaries."""
    hints = get_type_hints(model)
    fields = {name: hostile(hints[name], f"{place}.{name}", written) for name in model.model_fields}
    return model.model_construct(**fields | {name: f"id-{next(_number)}" for name in BOUNDED if name in fields})


def questions(
    deliberation: Deliberation, candidates: list[Candidate], critiques: list[str]
) -> Iterator[ModelQuestion]:
    """Yield questions of every kind that there is."""
    policy = Policy()
    agents = deliberation.agents
    yield proposal_question(deliberation, agents[0], policy, timeout_s=1.0)
    material = Material.of(deliberation, candidates, 1)
    presentation = present(material.candidates, seed=material.seed)
    for form in get_args(BallotForm):
        yield from ballot_questions(
            material,
            deliberation.reviewers,
            presentation,
            pass_=0,
            timeout_s=1.0,
            form=form,
            checklist=deliberation.plan.acceptance_criteria,
        )
    first, second = material.candidates
    pair = (first, second)
    yield from comparison_questions(material, [Look(agents[1], pair, [pair])], timeout_s=1.0)
    yield critique_question(material, agents[1], first, max_tokens=9, timeout_s=1.0)
    yield revision_question(material, agents[0], first, critiques, policy, max_tokens=9, timeout_s=1.0)
    assert deliberation.architect is not None
    choice = choice_question(material, deliberation.architect, [first, second], timeout_s=1.0)
    assert choice is not None
    yield choice
    yield synthesis_question(material, deliberation.architect, [first, second], max_tokens=9, timeout_s=1.0)


Asked = tuple[list[ModelQuestion], dict[str, str]]


@pytest.fixture(scope="module")
def asked() -> Asked:
    """Every question, and where each unique word was written."""
    written: dict[str, str] = {}
    deliberation = filled(Deliberation, "Deliberation", written)
    candidates = [filled(Candidate, f"Candidate[{index}]", written) for index in range(2)]
    critiques = [hostile(str, f"critique[{index}]", written) for index in range(2)]
    return list(questions(deliberation, candidates, critiques)), written


@pytest.fixture(scope="module")
def prompts(asked: Asked) -> tuple[list[str], dict[str, str]]:
    """The text of every message, and where each unique word was written."""
    return [message.content for question in asked[0] for message in question.request.messages], asked[1]


def kinds_of(kind: type) -> Iterator[type]:
    """Yield every class of questions that is no base of others."""
    below: list[type] = kind.__subclasses__()
    yield from (one for further in below for one in kinds_of(further)) if below else (kind,)


def test_no_kind_of_question_is_left_out(asked: Asked) -> None:
    for module in pkgutil.iter_modules(domain.prompts.__path__, "domain.prompts."):
        importlib.import_module(module.name)
    ours = {kind for kind in kinds_of(ModelQuestion) if kind.__module__.startswith("domain.")}
    assert {type(question) for question in asked[0]} == ours


def test_no_prompt_holds_a_template_token_or_a_hidden_character(prompts: tuple[list[str], dict[str, str]]) -> None:
    for content in prompts[0]:
        assert not [canary for canary in CANARIES if canary in content]
        assert readable(content) == content


def test_the_canaries_were_in_every_text_that_prompts_are_made_of(
    prompts: tuple[list[str], dict[str, str]],
) -> None:
    contents, written = prompts
    shown = "\n".join(contents)
    reached = {place.replace("[1]", "[0]") for word, place in written.items() if word in shown}

    assert reached == {
        "Deliberation.role",
        "Deliberation.plan.title",
        "Deliberation.plan.description",
        "Deliberation.plan.acceptance_criteria[0]",
        "Deliberation.plan.notes",
        "Deliberation.plan.tasks_outline",
        "Deliberation.plan.po_notes",
        "Deliberation.plan.po_concerns",
        "Deliberation.plan.constraints.requirements[0]",
        "Deliberation.plan.constraints.output_schema",
        "Deliberation.plan.constraints.output_schema's name",
        "Deliberation.rubric.criteria[0].name",
        "Deliberation.rubric.criteria[0].description",
        "Deliberation.agents[0].persona",
        "Deliberation.judges[0].persona",
        "Candidate[0].text",
        "critique[0]",
    }


@given(
    st.lists(
        st.sampled_from([*CANARIES, "<", "|", ">", "[", "]", "im_end", "\n", "a"])
        | st.text(max_size=5)
        | st.just("\ud800")
    )
)
def test_a_message_is_clean_whatever_it_is_made_of(parts: list[str]) -> None:
    content = Message(role="user", content="".join(parts)).content

    assert readable(content) == content
    assert not [canary for canary in CANARIES if canary in content]


def test_a_question_asked_again_is_clean_too() -> None:
    written: dict[str, str] = {}
    candidates = [filled(Candidate, "Candidate", written) for _ in range(2)]
    deliberation = filled(Deliberation, "Deliberation", written)
    material = Material.of(deliberation, candidates, 0)
    presentation = present(material.candidates, seed=material.seed)
    (question, *_) = ballot_questions(
        material, deliberation.judges, presentation, pass_=0, timeout_s=1.0, form="pointwise"
    )
    again = question.retry(ChatAnswer(key=question.key, model="m", engine="e", text="none"))

    assert again is not None
    assert all(readable(message.content) == message.content for message in again.request.messages)
