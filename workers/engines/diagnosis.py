"""Why an engine did not start, in one sentence, from the end of its log."""

from __future__ import annotations

import re
from collections.abc import Callable

from domain.engine import EngineKind
from workers.engines.errors import EngineBusyPort, EngineError, UnknownFlags
from workers.engines.spec import EngineSpec

LONGEST = 240
PORT_TAKEN = re.compile(r"address already in use|errno 98|couldn't bind|port \d+ is already", re.I)
UNKNOWN_FLAGS = re.compile(r"unrecognized arguments?: (.+)|no such option:? (\S+)", re.I)
NOT_INSTALLED = re.compile(
    r"No module named '?vllm\b|FileNotFoundError: .*vllm|vllm: (?:command )?not found", re.I
)
MEMORY = re.compile(
    r"out of memory|OutOfMemoryError|No available memory for the cache blocks|Free memory on device|"
    r"larger than the (?:maximum|available)[^.]*KV cache|not enough (?:GPU )?memory|"
    r"less than (?:desired GPU|requested) memory|Cannot allocate memory",
    re.I,
)
UNKNOWN_MODEL = re.compile(
    r"Repo id must be|is not a (?:valid|local folder)[^.]*model|Repository Not Found|RepositoryNotFoundError|"
    r"HFValidationError|does not appear to have a file named|"
    r"Can't load (?:the )?(?:configuration|tokenizer|model)|"
    r"couldn't connect to .* to load|LocalEntryNotFoundError|Invalid repository ID|Cannot find any model weights|"
    r"No such file or directory: .*(?:config\.json|\.gguf|\.safetensors)|OfflineModeIsEnabled",
    re.I,
)
TEMPLATE = re.compile(r"chat.template", re.I)
NO_DEVICE = re.compile(r"Failed to infer device type|No CUDA GPUs are available|invalid device ordinal", re.I)
ERROR_LINE = re.compile(
    r"^(?:\S+ )*?((?:[A-Za-z_.]+\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit)\b.*|.*\berror: .*)$"
)
"""How a log line that names an error looks, once logging's own prefix is taken off."""
EMPTY_ERROR = re.compile(r"See root cause above|See stack trace", re.I)
"""Errors that only say that there was another one before."""
PREFIX = re.compile(
    r"^(?:\([\w =:.-]+\) )?(?:(?:ERROR|CRITICAL|INFO|WARNING)\s+)?(?:\d\d-\d\d \d\d:\d\d:\d\d )?(?:\[[^\]]+\] )?"
)

Sentence = Callable[[EngineSpec, str], str]


def explain(spec: EngineSpec, log: str, why: str) -> EngineError:
    """Return what to raise for an engine whose log ends so; `why` stands in where the log names no error."""
    if spec.kind is EngineKind.VLLM and NOT_INSTALLED.search(log):
        return EngineError(
            "vLLM is not installed here: on a GPU node install the extra `vllm` of conclave-council, or name the "
            "command that starts it in CONCLAVE_ENGINE_COMMAND"
        )
    if found := UNKNOWN_FLAGS.search(log):
        flags = frozenset(re.findall(r"--[\w-]+", found.group(0)))
        return UnknownFlags(f"this {spec.kind} does not know {' '.join(sorted(flags)) or found.group(0)}", flags)
    if PORT_TAKEN.search(log):
        return port_taken(spec)
    for pattern, sentence in SENTENCES:
        if pattern.search(log):
            return EngineError(sentence(spec, last_error(log)))
    return EngineError(f"{spec.kind} can't serve {spec.model}: {last_error(log) or why}")


def port_taken(spec: EngineSpec) -> EngineBusyPort:
    """Return what to raise for a port that another process listens on."""
    where = f"port {spec.port}" if spec.port else "the port"
    return EngineBusyPort(f"{where} for {spec.model} on {spec.host} is taken: name another one, or none")


def without_template(spec: EngineSpec) -> EngineError:
    """Return what to raise for a model that can't chat."""
    return EngineError(
        f"{spec.model} has no chat template: serve an instruct or chat model, or hand the engine a template "
        "(for vLLM: -- --chat-template FILE)"
    )


def last_error(log: str) -> str:
    """Return the last line that names an error, without what logging puts before it."""
    bare = (PREFIX.sub("", line.strip()) for line in reversed(log.splitlines()))
    errors = (found.group(1)[:LONGEST].strip() for line in bare if (found := ERROR_LINE.match(line)))
    return next((error for error in errors if not EMPTY_ERROR.search(error)), "")


def _memory(spec: EngineSpec, error: str) -> str:
    where = f"GPU {','.join(spec.gpus)}" if spec.gpus else "this host"
    return (
        f"{spec.model} does not fit into the memory of {where}: end what else runs there, choose a smaller model "
        f"or context, or spread it over more GPUs ({error or 'out of memory'})"
    )


def _unknown_model(spec: EngineSpec, error: str) -> str:
    return f"there is no model {spec.loads} to load: check its name, its folder or the access token ({error})"


def _no_device(spec: EngineSpec, error: str) -> str:
    where = f"GPU {','.join(spec.gpus)}" if spec.gpus else "a GPU"
    return f"vLLM finds no device to run on; it was to use {where} ({error})"


SENTENCES: tuple[tuple[re.Pattern[str], Sentence], ...] = (
    (MEMORY, _memory),
    (UNKNOWN_MODEL, _unknown_model),
    (NO_DEVICE, _no_device),
)
