"""A model's thoughts, told from its answer: they are no part of a proposal, a ballot, an event or a log.

Engines with a reasoning parser send thoughts beside the answer; without one, thoughts stand in its text in the
model's own notation. The notations: DeepSeek-R1, QwQ, Qwen3 (`<think>`), Granite and EXAONE (`<thought>`,
`<thinking>`), Magistral (`[THINK]`), Kimi (`◁think▷`), Seed-OSS (`<seed:think>`), Sky-T1 (`<|begin_of_thought|>`),
Command A (`<|START_THINKING|>`), and gpt-oss' harmony channels, whole or with their special tokens stripped.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

_TAGS = ("think", "thinking", "thought", "thoughts", "reasoning", "reflection")
_PAIRS = (
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>thought", "<channel|>"),
)
_TAG = "|".join(_TAGS)
_OPENING = "|".join(
    (rf"<\s*(?:{_TAG})(?:\s[^<>]{{0,200}})?(?<!/)>", *(re.escape(opening) for opening, _ in _PAIRS))
)
_CLOSING = "|".join((rf"<\s*/\s*(?:{_TAG})\s*>", *(re.escape(closing) for _, closing in _PAIRS)))
_BLANK = "[ \t\r\ufeff\u200b\u2060]"
_MARK = re.compile(
    rf"(?P<begun>^{_BLANK}*)?(?P<opening>{_OPENING})|(?<!`)(?P<closing>{_CLOSING})(?!`)",
    re.IGNORECASE | re.MULTILINE,
)
_ENDS_OPEN = re.compile(rf"(?:{_OPENING})\s*\Z", re.IGNORECASE)
LONGEST_INDENT = 100
"""Characters beside a tag that are looked at to see whether it stands alone."""
_ANSWER_TAGS = re.compile(
    r"\A\s*(?:<answer>|<response>|<\|begin_of_solution\|>|<\|START_RESPONSE\|>)"
    r"(.*?)(?:</answer>|</response>|<\|end_of_solution\|>|<\|END_RESPONSE\|>|\Z)\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_CHANNEL = re.compile(
    r"(?:<\|start\|>\w*)?<\|channel\|>\s*(?P<name>\w{1,32})[^<]{0,200}<\|message\|>(?P<text>.*?)"
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

    `opened`: the text is known to begin within a thought. Takes time in proportion to the text's length, whatever
    it holds: the calls of a whole process wait meanwhile.
    """
    if text.lstrip().startswith(("<|channel|>", "<|start|>")) or _CHANNEL.search(text):
        return _of_channels(text)
    if stripped := _STRIPPED_CHANNELS.match(text):
        ended = bool(stripped["end"])
        return Answer(text[stripped.end() :].strip() if ended else "", thought=True, unfinished=not ended)
    return _of_tags(text, opened=opened)


def opens_thought(prompt: str) -> bool:
    """Whether a prompt, as the chat template made it, ends in a thought that the model goes on with."""
    return _ENDS_OPEN.search(prompt) is not None


def _of_tags(text: str, *, opened: bool) -> Answer:
    code, end = _Code(text), len(text.rstrip())
    kept: list[str] = []
    cut, inside, thought = 0, False, opened
    for mark in _MARK.finditer(text):
        if inside:
            inside, cut = mark["closing"] is None, mark.end()
        elif mark["opening"] is not None:
            place = mark.start("opening")
            leads = mark["begun"] is not None or _is_blank(text, cut, place)
            if not opened and leads and not code.holds(cut, place, mark.end()):
                kept.append(text[cut : mark.start()])
                inside, thought = True, True
        elif not code.holds(cut, mark.start(), mark.end()):
            if thought and not opened and mark.end() >= end:
                end = mark.start()  # It closes nothing, and behind it is no answer.
                break
            # The chat template opened it, or it encloses others: so far all of it was thoughts.
            kept, cut, opened, thought = [], mark.end(), False, True
    if inside or opened:
        return Answer("", thought=True, unfinished=True)
    if not thought:
        return Answer(text)
    rest = "".join((*kept, text[cut:end]))
    wrapped = _ANSWER_TAGS.match(rest)
    return Answer((wrapped[1] if wrapped else rest).strip(), thought=True)


def _of_channels(text: str) -> Answer:
    """Read gpt-oss' harmony format: only the channel `final` is for the reader."""
    parts = [(part["name"], part["text"]) for part in _CHANNEL.finditer(text)]
    final = [words for name, words in parts if name == _FINAL]
    if final:
        return Answer("".join(final).strip(), thought=len(parts) > len(final))
    return Answer("", thought=True, unfinished=True)


def _is_blank(text: str, start: int, end: int) -> bool:
    return end - start <= LONGEST_INDENT and not text[start:end].strip()


class _Code:
    """Which places of a text are Markdown code. Thoughts leave fences and spans open, a sound text closes them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._fences, self._ticks, self._breaks = (
            [found.start() for found in re.finditer(sign, text)] for sign in ("```", "`", "\n")
        )

    def holds(self, cut: int, start: int, end: int) -> bool:
        """Whether a tag lies in a fenced block or an inline span of what follows `cut`."""
        following = bisect_left(self._breaks, start)
        line_start = max(cut, self._breaks[following - 1] + 1 if following else 0)
        line_end = self._breaks[following] if following < len(self._breaks) else len(self._text)
        if _between(self._fences, cut, start) % 2 == 1:
            alone = _is_blank(self._text, line_start, start) and _is_blank(self._text, end, line_end)
            return not alone or _between(self._fences, end, len(self._text)) % 2 == 1
        ticks_before, ticks_after = _between(self._ticks, line_start, start), _between(self._ticks, end, line_end)
        return ticks_before % 2 == 1 and ticks_after % 2 == 1


def _between(places: list[int], start: int, end: int) -> int:
    return bisect_left(places, end) - bisect_left(places, start)
