"""A model's thoughts, told from its answer: they are no part of a proposal, a ballot, an event or a log.

Engines with a reasoning parser send thoughts beside the answer; without one, thoughts stand in its text in the
model's own notation. The notations: DeepSeek-R1, QwQ, Qwen3 (`<think>`), Granite and EXAONE (`<thought>`,
`<thinking>`), Magistral (`[THINK]`), Kimi (`◁think▷`), Seed-OSS (`<seed:think>`), Sky-T1 (`<|begin_of_thought|>`),
Command A (`<|START_THINKING|>`), and gpt-oss' harmony channels, whole or with their special tokens stripped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAGS = ("think", "thinking", "thought", "thoughts", "reasoning", "reflection")
_PAIRS = (
    *((f"<{tag}>", f"</{tag}>") for tag in _TAGS),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>thought", "<channel|>"),
)
_CLOSING = {opening.lower(): closing for opening, closing in _PAIRS}
_OPEN = re.compile("|".join(re.escape(opening) for opening, _ in _PAIRS), re.IGNORECASE)
_CLOSE = re.compile("(?<!`)(?:" + "|".join(re.escape(closing) for _, closing in _PAIRS) + ")(?!`)", re.IGNORECASE)
_ANSWER_TAGS = re.compile(
    r"\A\s*(?:<answer>|<response>|<\|begin_of_solution\|>|<\|START_RESPONSE\|>)"
    r"(.*?)(?:</answer>|</response>|<\|end_of_solution\|>|<\|END_RESPONSE\|>|\Z)\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_CHANNEL = re.compile(
    r"(?:<\|start\|>\w*)?<\|channel\|>\s*(?P<name>\w+)[^<]*<\|message\|>(?P<text>.*?)"
    r"(?=<\|(?:start|channel|end|return|call)\|>|\Z)",
    re.DOTALL,
)
_STRIPPED_CHANNELS = re.compile(r"\Aanalysis(?=[A-Z\"'(]).*?(?P<end>assistant\s?final|\Z)", re.DOTALL)
_FINAL = "final"


@dataclass(frozen=True)
class Answer:
    """What a model meant for its reader."""

    text: str
    thought: bool = False
    """Whether thoughts stood in the text."""
    unfinished: bool = False
    """Whether the text ended within the thoughts: then there is no answer, `text` is empty."""


def without_thoughts(text: str, *, opened: bool = False) -> Answer:
    """Return the answer in a text of a model. A tag that a sound text mentions in code stays.

    `opened`: the text is known to begin within a thought.
    """
    if "<|channel|>" in text:
        return _of_channels(text)
    if stripped := _STRIPPED_CHANNELS.match(text):
        ended = bool(stripped["end"])
        return Answer(text[stripped.end() :].strip() if ended else "", thought=True, unfinished=not ended)
    answer = _of_tags(text)
    return Answer("", thought=True, unfinished=True) if opened and not answer.thought else answer


def opens_thought(prompt: str) -> bool:
    """Whether a prompt, as the chat template made it, ends in a thought that the model goes on with."""
    return any(prompt.rstrip().lower().endswith(opening) for opening in _CLOSING)


def _of_tags(text: str) -> Answer:
    rest, thought = text, False
    while opening := _OPEN.match(rest.lstrip()):
        rest = rest.lstrip()
        end = re.compile(re.escape(_CLOSING[opening[0].lower()]), re.IGNORECASE).search(rest, opening.end())
        if end is None:
            return Answer("", thought=True, unfinished=True)
        rest, thought = rest[end.end() :], True
    if not thought and (closing := _CLOSE.search(rest)) and not _in_code(rest, closing.start()):
        # The chat template opened the tag, so the model only closed it.
        rest, thought = rest[closing.end() :], True
        following = _of_tags(rest)
        return Answer(following.text.strip(), thought=True, unfinished=following.unfinished)
    if not thought:
        return Answer(text)
    wrapped = _ANSWER_TAGS.match(rest)
    return Answer((wrapped[1] if wrapped else rest).strip(), thought=True)


def _of_channels(text: str) -> Answer:
    """Read gpt-oss' harmony format: only the channel `final` is for the reader."""
    parts = [(part["name"], part["text"]) for part in _CHANNEL.finditer(text)]
    final = [words for name, words in parts if name == _FINAL]
    if final:
        return Answer("".join(final).strip(), thought=len(parts) > len(final))
    return Answer("", thought=True, unfinished=True)


def _in_code(text: str, place: int) -> bool:
    """Whether a place lies within a fenced block or an inline span of Markdown code."""
    before = text[:place]
    line = before.rpartition("\n")[2]
    return before.count("```") % 2 == 1 or line.count("`") % 2 == 1
