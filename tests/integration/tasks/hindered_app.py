"""The product's application for one worker whose engine is away at first, and then fails unexpectedly."""

from __future__ import annotations

from dataclasses import replace

from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.services import Services
from tasks.retries import RetryPolicy
from tests.support.scripted_model import ScriptedModel, failure
from workers.app import make_app
from workers.per_process import PerProcess
from workers.settings import Settings

WAITS, ERRORS = 10, 2


def hinder(request: ChatRequest, before: int) -> ChatOutcome | None:
    """Be away for the first calls, raise for the next ones, then let the model answer."""
    if before < WAITS:
        return failure(request, FailureReason.UNREACHABLE)
    if before < WAITS + ERRORS:
        raise RuntimeError("a hiccup of store or network")
    return None


def hindered() -> Services:
    model = ScriptedModel()
    model.follow(hinder)
    return replace(product(), model=model)


app = make_app(Settings())
app.retry_policy = RetryPolicy(engine_away_s=(0.05,), error_s=(0.05, 0.1, 0.1))
product = app.services
app.services = PerProcess(hindered)
