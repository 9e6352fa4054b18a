"""Engines: served model, context, guided answers, load and prefix cache; and the GPUs of this host."""

from __future__ import annotations

import socket

from pydantic import SecretStr

from domain.chat import ChatFailure, ChatRequest, Message, ScoreForm
from domain.engine import EngineKind, EngineRecord
from domain.ports.chat_model import ChatModel
from domain.review.ballot_form import parse_ballot
from domain.services import Services
from workers.doctor.finding import Finding, Findings, fail, ok, warn
from workers.engines.engine_metrics import EngineMetrics, read_engine_metrics
from workers.engines.engine_probe import EngineProbe, ErrorAnswer, NoAnswer
from workers.engines.external_watch import LISTS_NO_MODELS
from workers.engines.gpus import list_gpus
from workers.engines.kinds import ENGINES

WITHIN_S = 10.0
FORM = ScoreForm(rows=2, columns=3)
LABELS, CRITERIA = ("A", "B"), ("x", "y", "z")


def examine_engines(services: Services, *, key: SecretStr, node: str = "") -> Findings:
    """Look at every engine in the directory, and whether each council's models are served.

    `key` is shown to external engines. `node`: this host's name, as engines' records have it.
    """
    records = services.engines.all()
    for record in records:
        if not record.ready:
            yield warn(f"engine {record.name}", "is being started; look again in a minute, or at its worker's log")
        elif not record.reachable_from(node or socket.gethostname()):
            text = f"listens on the loopback address of {record.node} alone: only workers there can call it"
            yield warn(f"engine {record.name}", f"{text}; CONCLAVE_ENGINE__HOST names an address for others")
        else:
            yield from _engine(record, key, services)
    served = {record.model for record in records if record.ready}
    wanted = {agent.model or services.policy.model for one in services.councils.all() for agent in one.agents}
    if not wanted:
        yield fail("councils", "there are none: apply some with `conclave council apply --default`")
    for model in sorted(wanted - served):
        who = ", ".join(sorted(served)) or "nothing"
        text = f"no live worker serves it (served: {who}); start one with `conclave worker --model {model}`"
        yield fail(f"model {model}", text)


def examine_gpus() -> Findings:
    """List this host's GPUs, where nvidia-smi can."""
    found = list_gpus()
    if found is None:
        yield ok("gpus", "no nvidia-smi here: only CPU engines can be started on this host")
        return
    for gpu in found:
        yield ok(f"gpu {gpu.index}", f"{gpu.name}, {gpu.memory_used} of {gpu.memory_total} MiB in use")


def _engine(record: EngineRecord, key: SecretStr, services: Services) -> Findings:
    what = f"engine {record.name}"
    external = record.kind is EngineKind.EXTERNAL
    probe = EngineProbe(record.url, within_s=WITHIN_S, api_key=key if external else None, proxies=external)
    try:
        listed = _models(record, probe)
    except NoAnswer as error:
        yield fail(what, f"does not answer at {record.url}: {error}")
        return
    if record.model not in listed:
        yield fail(what, f"serves {', '.join(sorted(listed)) or 'nothing'}, not {record.model}")
        return
    context = f"context of {record.context_length} tokens" if record.context_length else "context unknown"
    yield ok(what, f"serves {record.model} at {record.url}, {context}, {record.slots or 'unknown'} slots")
    yield from _room(record, services)
    yield _guided(record, services.model)
    yield _load(record, probe)


def _models(record: EngineRecord, probe: EngineProbe) -> dict[str, int]:
    """Return what it serves; somebody else's endpoint that lists no models is taken at its word."""
    try:
        return probe.models()
    except ErrorAnswer as error:
        if record.kind is EngineKind.EXTERNAL and error.status in LISTS_NO_MODELS:
            return {record.model: record.context_length}
        raise


def _room(record: EngineRecord, services: Services) -> Findings:
    """Tell of a context that can't hold an answer, or not what a reviewer of the largest council has to read."""
    what, context, answer = f"context of {record.model}", record.context_length, services.policy.max_tokens
    agents = max((len(council.agents) for council in services.councils.all()), default=1)
    if context and context <= answer:
        text = f"{context} tokens leave no prompt beside an answer of {answer}: every proposal would be refused"
        yield fail(what, f"{text}; lower CONCLAVE_POLICY__MAX_TOKENS")
    elif context and context < agents * answer:
        text = f"{context} tokens may not hold {agents} proposals of {answer}: reviewers would hand in no ballot"
        yield warn(what, f"{text}; lower CONCLAVE_POLICY__MAX_TOKENS or serve a longer context")


def _guided(record: EngineRecord, model: ChatModel) -> Finding:
    """Ask for a small ballot in the form that reviews use."""
    request = ChatRequest(
        key="doctor",
        model=record.model,
        messages=(Message(role="user", content="Score A and B from 1 to 9, three digits each: xxx,xxx"),),
        max_tokens=16,
        timeout_s=WITHIN_S * 3,
        form=FORM,
    )
    outcome = next(iter(model.ask([request])))
    what = f"guided answers of {record.model}"
    if isinstance(outcome, ChatFailure):
        return fail(what, f"none: {outcome.reason}: {outcome.detail}")
    if parse_ballot(outcome.text, labels=LABELS, criteria=CRITERIA) is None:
        return fail(
            what, f"off form under {record.guidance}: set CONCLAVE_ENGINE__GUIDANCE to what the engine knows"
        )
    return ok(what, f"kept to the form by {record.guidance}, {outcome.completion_tokens} tokens for two proposals")


def _load(record: EngineRecord, probe: EngineProbe) -> Finding:
    what = f"load of {record.name}"
    gauges = ENGINES[record.kind].gauges
    if not gauges.running:
        return ok(what, "this kind tells no metrics")
    try:
        return ok(what, _words(read_engine_metrics(gauges, probe.metrics())))
    except NoAnswer as error:
        return warn(what, f"no metrics: {error}")


def _words(vitals: EngineMetrics) -> str:
    cache = "unknown" if vitals.hit_rate is None else f"{vitals.hit_rate:.0%}"
    kv = "unknown" if vitals.kv_usage is None else f"{vitals.kv_usage:.0%}"
    return f"{vitals.running} running, {vitals.waiting} waiting, KV cache {kv} used, prefix hit rate {cache}"
