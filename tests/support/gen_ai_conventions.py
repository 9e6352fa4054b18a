"""A model call's span as others publish it: OpenTelemetry's conventions, and what Langfuse and Phoenix read of it.

Read on 29 November 2026 in
open-telemetry/semantic-conventions-genai, docs/gen-ai/client-inference.md, `gen_ai.client.inference`, 024a4f944;
langfuse/langfuse-docs, content/integrations/native/opentelemetry.mdx, 03c61f3f7;
langfuse/langfuse, packages/shared/src/server/otel/OtelIngestionProcessor.ts, 0030ed8fe;
Arize-ai/phoenix, src/phoenix/trace/gen_ai/conversion.py, 10c483a01.
"""

from __future__ import annotations

from typing import NamedTuple


class Convention(NamedTuple):
    """One attribute of the conventions' table."""

    name: str
    level: str
    """required, conditional (required under a condition), recommended, or opt-in."""
    missing: str = ""
    """Why no span of ours has it; empty for what ours have."""


NO_STREAM = "no answer is asked for as a stream"
ONE_KIND = "engines tell no tokens by kind of content, and all of ours is text"
NO_TEXT = "no span holds a text of a prompt or an answer"

CHAT = (
    Convention("gen_ai.operation.name", "required"),
    Convention("gen_ai.provider.name", "required"),
    Convention("error.type", "conditional"),
    Convention("gen_ai.conversation.id", "conditional"),
    Convention("gen_ai.output.type", "conditional"),
    Convention("gen_ai.prompt.name", "conditional"),
    Convention("gen_ai.prompt.version", "conditional", "prompts have no version of their own"),
    Convention("gen_ai.request.choice.count", "conditional"),
    Convention("gen_ai.request.model", "conditional"),
    Convention("gen_ai.request.seed", "conditional"),
    Convention("gen_ai.request.stream", "conditional", NO_STREAM),
    Convention("gen_ai.request.top_k", "conditional"),
    Convention("server.port", "conditional"),
    Convention("gen_ai.conversation.compacted", "recommended", "every call is a conversation of its own"),
    Convention("gen_ai.request.frequency_penalty", "recommended"),
    Convention("gen_ai.request.max_tokens", "recommended"),
    Convention("gen_ai.request.presence_penalty", "recommended"),
    Convention("gen_ai.request.previous_response.id", "recommended", "every call is a conversation of its own"),
    Convention("gen_ai.request.reasoning.level", "recommended"),
    Convention("gen_ai.request.stop_sequences", "recommended"),
    Convention("gen_ai.request.temperature", "recommended"),
    Convention("gen_ai.request.top_p", "recommended"),
    Convention("gen_ai.response.finish_reasons", "recommended"),
    Convention("gen_ai.response.id", "recommended"),
    Convention("gen_ai.response.model", "recommended"),
    Convention("gen_ai.response.time_to_first_chunk", "recommended", NO_STREAM),
    Convention("gen_ai.usage.audio.cache_read.input_tokens", "recommended", ONE_KIND),
    Convention("gen_ai.usage.audio.input_tokens", "recommended", ONE_KIND),
    Convention("gen_ai.usage.audio.output_tokens", "recommended", ONE_KIND),
    Convention("gen_ai.usage.cache_read.input_tokens", "recommended"),
    Convention("gen_ai.usage.cache_write.input_tokens", "recommended", "OpenAI's chat completion doesn't tell it"),
    Convention("gen_ai.usage.image.cache_read.input_tokens", "recommended", ONE_KIND),
    Convention("gen_ai.usage.image.input_tokens", "recommended", ONE_KIND),
    Convention("gen_ai.usage.image.output_tokens", "recommended", ONE_KIND),
    Convention("gen_ai.usage.input_tokens", "recommended"),
    Convention("gen_ai.usage.output_tokens", "recommended"),
    Convention("gen_ai.usage.reasoning.output_tokens", "recommended"),
    Convention("gen_ai.usage.text.cache_read.input_tokens", "recommended", ONE_KIND),
    Convention("gen_ai.usage.text.input_tokens", "recommended", ONE_KIND),
    Convention("gen_ai.usage.text.output_tokens", "recommended", ONE_KIND),
    Convention("server.address", "recommended"),
    Convention("gen_ai.input.messages", "opt-in", NO_TEXT),
    Convention("gen_ai.output.messages", "opt-in", NO_TEXT),
    Convention("gen_ai.prompt.variable", "opt-in", NO_TEXT),
    Convention("gen_ai.system_instructions", "opt-in", NO_TEXT),
    Convention("gen_ai.tool.definitions", "opt-in", "agents have no tools"),
)
"""Every row of the table for a call to a model."""
OF_AGENTS = (Convention("gen_ai.agent.name", "conditional"),)
"""What the conventions name on agents' spans, and ours have on each call of an agent."""

LANGFUSE = {
    "type": ("gen_ai.operation.name",),
    "level": ("error.type",),
    "model": ("gen_ai.response.model", "gen_ai.request.model"),
    "modelParameters": ("gen_ai.request.max_tokens", "gen_ai.request.temperature", "gen_ai.request.seed"),
    "usage": ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
    "sessionId": ("gen_ai.conversation.id",),
}
"""Fields of its generations → what it fills them from. `level` comes from the span's status, `cost` from model and
usage by the prices that its user sets."""
PHOENIX = {
    "openinference.span.kind": ("gen_ai.operation.name",),
    "llm.provider": ("gen_ai.provider.name",),
    "session.id": ("gen_ai.conversation.id",),
    "llm.model_name": ("gen_ai.request.model",),
    "llm.invocation_parameters": (
        "gen_ai.request.max_tokens",
        "gen_ai.request.temperature",
        "gen_ai.request.seed",
    ),
    "llm.token_count.prompt": ("gen_ai.usage.input_tokens",),
    "llm.token_count.completion": ("gen_ai.usage.output_tokens",),
    "llm.token_count.prompt_details.cache_read": ("gen_ai.usage.cache_read.input_tokens",),
    "llm.finish_reason": ("gen_ai.response.finish_reasons",),
    "output.value": ("gen_ai.response.id", "gen_ai.response.model"),
}
"""OpenInference's attributes → what Phoenix makes them of when a span comes in."""
