"""The product's application for one worker that meets what it must wait for, and then fails unexpectedly."""

from __future__ import annotations

from dataclasses import replace

from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.errors import NewerRecord
from domain.services import Services
from tasks.retries import RetryPolicy
from tests.support.scripted_model import ScriptedModel, failure
from workers.app import make_app
from workers.per_process import PerProcess
from workers.settings import Settings

WAITS, NEWER, ERRORS = 10, 5, 2


def hinder(request: ChatRequest, before: int) -> ChatOutcome | None:
    """Be away for the first calls, raise two kinds of errors for the next ones, then let the model answer."""
    if before < WAITS:
        return failure(request, FailureReason.UNREACHABLE)
    if before < WAITS + NEWER:
        raise NewerRecord("a record that this version can't read")
    if before < WAITS + NEWER + ERRORS:
        raise RuntimeError("a hiccup of store or network")
    return None


def hindered() -> Services:
    model = ScriptedModel()
    model.follow(hinder)
    return replace(product(), model=model)


app = make_app(Settings())
app.retry_policy = RetryPolicy(engine_away_s=(0.05,), error_s=(0.05, 0.1, 0.1), newer_record_s=(0.05,) * NEWER)
product = app.services
app.services = PerProcess(hindered)
