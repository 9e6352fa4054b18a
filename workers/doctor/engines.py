"""Engines: served model, context, guided answers, load and prefix cache; and the GPUs of this host."""

from __future__ import annotations

import socket
from collections.abc import Callable

from pydantic import SecretStr

from domain.chat import ChatFailure, ChatRequest, Message, ScoreForm
from domain.engine import EngineKind, EngineRecord
from domain.finding import Finding, Findings, fail, ok, warn
from domain.policy import Policy
from domain.ports.chat_model import ChatModel
from domain.ports.clock import Clock
from domain.ports.council_registry import CouncilRegistry
from domain.ports.engine_directory import EngineDirectory
from workers.doctor.supply import clocks, found, most_shown, room, starting, supply
from workers.engines.engine_metrics import EngineMetrics, read_engine_metrics
from workers.engines.engine_probe import EngineProbe, ErrorAnswer, NoAnswer
from workers.engines.errors import ALLOW_IT
from workers.engines.external_watch import LISTS_NO_MODELS
from workers.engines.gpus import list_gpus
from workers.engines.kinds import ENGINES

WITHIN_S = 10.0
FORM = ScoreForm(lines=("A", "B"))


def examine_engines(
    *,
    engines: EngineDirectory,
    councils: CouncilRegistry,
    model: ChatModel,
    policy: Policy,
    key: Callable[[EngineRecord], str | None],
    clock: Clock,
    node: str = "",
) -> Findings:
    """Look at every engine in the directory, and whether each council's models are served.

    `key` is what an engine is shown, None for one that this host may not call. `node`: this host's name, as
    engines' records have it; `clock` is the store's.
    """
    records, all_councils = engines.all(), councils.all()
    yield from clocks(records, clock.now())
    shown = most_shown(all_councils, policy.review)
    for record in records:
        if not record.ready:
            yield starting(record)
        elif not record.reachable_from(node or socket.gethostname()):
            text = f"listens on the loopback address of {record.node} alone: only workers there can call it"
            yield warn(f"engine {record.name}", f"{text}; CONCLAVE_ENGINE_HOST names an address for others")
        elif (api_key := key(record)) is None:
            text = f"{record.url} is not to be called from here, so reviews would miss its ballots"
            yield fail(f"engine {record.name}", f"{text}; {ALLOW_IT} for control workers too")
        else:
            yield from _engine(record, api_key, model, max_tokens=policy.max_tokens, shown=shown)
    yield from supply(records, all_councils, policy.model)


def examine_gpus() -> Findings:
    """List this host's GPUs, where nvidia-smi can."""
    gpus = list_gpus()
    if gpus is None:
        yield ok("gpus", "no nvidia-smi here: only CPU engines can be started on this host")
        return
    for gpu in gpus:
        yield ok(f"gpu {gpu.index}", f"{gpu.name}, {gpu.memory_used} of {gpu.memory_total} MiB in use")


def _engine(record: EngineRecord, key: str, model: ChatModel, *, max_tokens: int, shown: int) -> Findings:
    subject = f"engine {record.name}"
    external = record.kind is EngineKind.EXTERNAL
    probe = EngineProbe(record.url, within_s=WITHIN_S, api_key=SecretStr(key), proxies=external)
    try:
        models = _models(record, probe)
    except NoAnswer as error:
        yield fail(subject, f"does not answer at {record.url}: {error}")
        return
    if record.model not in models:
        yield fail(subject, f"serves {', '.join(sorted(models)) or 'nothing'}, not {record.model}")
        return
    context = f"context of {record.context_length} tokens" if record.context_length else "context unknown"
    yield ok(subject, f"serves {record.model} at {record.url}, {context}, {record.slots or 'unknown'} slots")
    yield found(record)
    yield from room(record, max_tokens, shown)
    yield _guided(record, model)
    yield _load(record, probe)


def _models(record: EngineRecord, probe: EngineProbe) -> dict[str, int]:
    """Return what it serves; an external endpoint that lists no models is taken at its record's word."""
    try:
        return probe.models()
    except ErrorAnswer as error:
        if record.kind is EngineKind.EXTERNAL and error.status in LISTS_NO_MODELS:
            return {record.model: record.context_length}
        raise


def _guided(record: EngineRecord, model: ChatModel) -> Finding:
    """Ask for a small ballot in the form that reviews use."""
    request = ChatRequest(
        key="doctor",
        model=record.model,
        messages=(
            Message(role="system", content="You are a member of a council."),
            Message(role="user", content="Score A and B from 1 to 9, each on a line of its own, as in A: x"),
        ),
        max_tokens=FORM.max_tokens,
        seed=1,
        timeout_s=WITHIN_S * 3,
        form=FORM,
    )
    outcome = next(iter(model.ask([request])))
    subject = f"guided answers of {record.model}"
    if isinstance(outcome, ChatFailure):
        return fail(subject, f"none: {outcome.reason}: {outcome.detail}")
    if FORM.read(outcome.text) is None:
        return fail(
            subject, f"off form under {record.guidance}: set CONCLAVE_ENGINE_GUIDANCE to what the engine knows"
        )
    return ok(
        subject, f"kept to the form by {record.guidance}, {outcome.completion_tokens} tokens for two proposals"
    )


def _load(record: EngineRecord, probe: EngineProbe) -> Finding:
    subject = f"load of {record.name}"
    names = ENGINES[record.kind].metric_names
    if not names.running:
        return ok(subject, "this kind tells no metrics")
    try:
        return ok(subject, _load_text(read_engine_metrics(names, probe.metrics())))
    except NoAnswer as error:
        return warn(subject, f"no metrics: {error}")


def _load_text(metrics: EngineMetrics) -> str:
    cache = "unknown" if metrics.hit_rate is None else f"{metrics.hit_rate:.0%}"
    kv = "unknown" if metrics.kv_usage is None else f"{metrics.kv_usage:.0%}"
    return f"{metrics.running} running, {metrics.waiting} waiting, KV cache {kv} used, prefix hit rate {cache}"
