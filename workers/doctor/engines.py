"""Engines: served model, context, guided answers, load and prefix cache; and the GPUs of this host."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable

from pydantic import SecretStr

from domain.chat import ChatFailure, ChatRequest, Message, ScoreForm
from domain.council import Council, voice_of
from domain.engine import EngineKind, EngineRecord
from domain.policy import Policy
from domain.ports.chat_model import ChatModel
from domain.ports.clock import Clock
from domain.ports.council_registry import CouncilRegistry
from domain.ports.engine_directory import EngineDirectory
from domain.thinking import ROOM, Thoughts
from workers.doctor.finding import Finding, Findings, fail, ok, warn
from workers.engines.engine_metrics import EngineMetrics, read_engine_metrics
from workers.engines.engine_probe import EngineProbe, ErrorAnswer, NoAnswer
from workers.engines.errors import ALLOW_IT
from workers.engines.external_watch import LISTS_NO_MODELS
from workers.engines.gpus import list_gpus
from workers.engines.kinds import ENGINES
from workers.engines.ready_report import found_out

WITHIN_S = 10.0
AHEAD_S, STALE_S = 2.0, 60.0
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
    yield from _clocks(records, clock.now())
    largest = max((len(council.agents) for council in all_councils), default=1)
    for record in records:
        if not record.ready:
            yield warn(f"engine {record.name}", "is being started; look again in a minute, or at its worker's log")
        elif not record.reachable_from(node or socket.gethostname()):
            text = f"listens on the loopback address of {record.node} alone: only workers there can call it"
            yield warn(f"engine {record.name}", f"{text}; CONCLAVE_ENGINE_HOST names an address for others")
        elif (shown := key(record)) is None:
            text = f"{record.url} is not to be called from here, so reviews would miss its ballots"
            yield fail(f"engine {record.name}", f"{text}; {ALLOW_IT} for control workers too")
        else:
            yield from _engine(record, shown, model, max_tokens=policy.max_tokens, agents=largest)
    served = {record.model for record in records if record.ready}
    required = {agent.model or policy.model for council in all_councils for agent in council.agents}
    yield from _voices(all_councils, policy.model)
    if not required:
        yield fail("councils", "there are none: apply some with `conclave council apply --default`")
    for name in sorted(required - served):
        others = ", ".join(sorted(served)) or "nothing"
        text = f"no live worker serves it (served: {others}); start one with `conclave worker --model {name}`"
        yield fail(f"model {name}", text)


def _voices(councils: Iterable[Council], default_model: str) -> Findings:
    """Recommend mixed models: agents of one model share its errors, and copies are one opinion."""
    for council in councils:
        models = {agent.model or default_model for agent in council.agents}
        voices = {voice_of(agent, default_model) for agent in council.agents}
        if len(council.agents) > 1 and len(voices) == 1:
            text = "all agents have one model and one persona: as reviewers they are one voice, asked as such"
            yield warn(f"council {council.role}", f"{text}; give them personas, better still models, of their own")
        elif len(council.agents) > 1 and len(models) == 1:
            text = f"{len(voices)} voices of one model, which share its errors: mixed models make them independent"
            yield ok(f"council {council.role}", text)


def _clocks(records: Iterable[EngineRecord], now: float) -> Findings:
    """Compare the clocks of workers' hosts with the store's, as far as their engines' records tell the time."""
    for record in records:
        ahead = record.updated_at - now
        # A record that is not renewed for so long expires, so an older one was dated by a clock that is behind.
        if record.updated_at and not -STALE_S < ahead < AHEAD_S:
            off = f"about {ahead:.0f} s ahead of" if ahead > 0 else f"up to {-ahead:.0f} s behind"
            yield warn(f"clock of {record.node}", f"is {off} Valkey's; set it, and run an NTP client")


def examine_gpus() -> Findings:
    """List this host's GPUs, where nvidia-smi can."""
    gpus = list_gpus()
    if gpus is None:
        yield ok("gpus", "no nvidia-smi here: only CPU engines can be started on this host")
        return
    for gpu in gpus:
        yield ok(f"gpu {gpu.index}", f"{gpu.name}, {gpu.memory_used} of {gpu.memory_total} MiB in use")


def _engine(record: EngineRecord, key: str, model: ChatModel, *, max_tokens: int, agents: int) -> Findings:
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
    yield _found(record)
    yield from _room(record, max_tokens, agents)
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


def _found(record: EngineRecord) -> Finding:
    """Say what the ready check found, with a remedy for what costs tokens or ballots."""
    subject, found = f"ready check of {record.model}", record.found
    told = found_out(record)
    if found.ballot in ("none", "off_form"):
        remedy = "its ballots would be missing: set CONCLAVE_ENGINE_GUIDANCE to what the engine knows"
        return fail(subject, f"{told}; {remedy}")
    if found.thoughts is Thoughts.ALWAYS:
        remedy = (
            f"each of its ballots gets room for {ROOM} tokens of thoughts: a model that can leave it is faster"
        )
        return warn(subject, f"{told}; {remedy}")
    return ok(subject, told)


def _room(record: EngineRecord, answer: int, agents: int) -> Findings:
    """Report a context that can't hold an answer, or not what a reviewer of the largest council has to read."""
    subject, context = f"context of {record.model}", record.context_length
    if context and context <= answer:
        text = f"{context} tokens leave no prompt beside an answer of {answer}: every proposal would be refused"
        yield fail(subject, f"{text}; lower CONCLAVE_POLICY_MAX_TOKENS")
    elif context and context < agents * answer:
        text = f"{context} tokens may not hold {agents} proposals of {answer}: reviewers would hand in no ballot"
        yield warn(subject, f"{text}; lower CONCLAVE_POLICY_MAX_TOKENS or serve a longer context")


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
