"""A model call in the words of OpenTelemetry's conventions for generative AI; no text of a prompt or an answer.

https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/client-inference.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from domain.chat import ChatAnswer, ChatFailure, ChatOutcome, ChatRequest, Exchange, Usage, usage_of
from domain.ports.tracer import Attributes

NUMBERS = {
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "seed": "gen_ai.request.seed",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
}
"""Parameters of OpenAI's chat completion that are numbers, by the conventions' names for them."""
PORTS = {"http": 80, "https": 443}


def asked(request: ChatRequest, conversation: str) -> Attributes:
    """Return what is known before an engine is chosen; `conversation`: a deliberation's id, empty outside any."""
    known = {
        "gen_ai.agent.name": request.agent_id,
        "gen_ai.conversation.id": conversation,
        "gen_ai.prompt.name": request.key.partition("/")[0],
    }
    return {
        "gen_ai.operation.name": "chat",
        # The conventions' name for whatever speaks this protocol.
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": request.model,
        **{name: value for name, value in known.items() if value},
    }


def ended(outcome: ChatOutcome) -> Attributes:
    """Return what an outcome and its exchange with the engine add."""
    exchange = outcome.exchange
    engine = {"conclave.engine": outcome.engine} if outcome.engine else {}
    return {**engine, **_server(exchange.url), **_parameters(exchange.parameters), **_response(outcome, exchange)}


def _server(url: str) -> Attributes:
    """Return where the call went; nothing else of an address is told, as there may be a password in it."""
    parts = urlsplit(url)
    port = parts.port or PORTS.get(parts.scheme)
    return {"server.address": parts.hostname, "server.port": port} if parts.hostname and port else {}


def _parameters(sent: Mapping[str, Any]) -> Attributes:
    """Return the parameters that were sent; of `extra_body`, which may hold anything, what has the right type."""
    numbers = {name: sent[key] for key, name in NUMBERS.items() if _is_number(sent.get(key))}
    stop = sent.get("stop")
    stops = [stop] if isinstance(stop, str) else stop
    effort, count = sent.get("reasoning_effort"), sent.get("n", 1)
    return {
        **numbers,
        **({"gen_ai.output.type": "json" if "response_format" in sent else "text"} if sent else {}),
        **({"gen_ai.request.reasoning.level": effort} if isinstance(effort, str) else {}),
        **({"gen_ai.request.choice.count": count} if _is_number(count) and count != 1 else {}),
        **({"gen_ai.request.stop_sequences": stops} if _is_texts(stops) else {}),
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _response(outcome: ChatOutcome, exchange: Exchange) -> Attributes:
    named = {"gen_ai.response.id": exchange.response_id} if exchange.response_id else {}
    if isinstance(outcome, ChatFailure):
        model = {"gen_ai.response.model": exchange.model} if exchange.model else {}
        reasons = [exchange.finish_reason or "error"]
        usage = _tokens(exchange.usage) if exchange.usage != Usage() else {}
        return {
            "error.type": outcome.reason.value,
            "gen_ai.response.finish_reasons": reasons,
            **named,
            **model,
            **usage,
        }
    return {
        "gen_ai.response.model": exchange.model or outcome.model,
        "gen_ai.response.finish_reasons": [exchange.finish_reason or _end_of(outcome)],
        **named,
        **_tokens(usage_of(outcome)),
    }


def _end_of(answer: ChatAnswer) -> str:
    """Name the end of an answer whose engine didn't."""
    return "length" if answer.cut_off else "stop"


def _tokens(usage: Usage) -> Attributes:
    return {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
    }
