"""A task whose answer can be checked, and where the answer is in a proposal's text."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from domain.plan import JsonList
from domain.rubric import Criterion, Rubric
from domain.text.code_blocks import code_blocks
from domain.value import Name, Value

CHECKS = ("answer", "matches", "asserts", "command")
ANSWER_LINE = "The last line is `Answer: ` followed by the answer alone."
CODE_BLOCK = (
    "The first fenced block of code is the whole Python code, imports included; nothing has to be added to it."
)

CORRECTNESS = Rubric(
    criteria=(
        Criterion(name="correctness", description="the answer is right, for every case that the task names"),
        Criterion(name="completeness", description="it is whole, and in the form that is asked for"),
    )
)
"""What a council judges by where answers are right or wrong."""

_MARKED = re.compile(r"^[\s>#*_-]*answer[*_]*\s*:[*_]*[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE)
_DECORATION = " \t*_`"
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$")]


class CheckedTask(Value):
    """A question to the council and exactly one way to tell whether an answer is right."""

    task_id: Name = Field(alias="id")
    question: str = Field(min_length=1, max_length=100_000, pattern=r"\S")
    title: str = Field(default="", max_length=1000)
    answer: str | None = Field(default=None, min_length=1, max_length=100_000, pattern=r"\S")
    """The right answer; runs of white space count as one blank."""
    matches: str | None = Field(default=None, min_length=1, max_length=10_000)
    """A regular expression of Python's that fits the whole answer."""
    asserts: str | None = Field(default=None, min_length=1, max_length=1_000_000)
    """Python code that runs after the answer's code, in the same module; it fails by raising."""
    command: Annotated[tuple[str, ...] | None, JsonList] = Field(default=None, min_length=1, max_length=100)
    """Program and arguments; exit code 0 means right. `python` is the Python that runs Conclave."""
    files: dict[FileName, Annotated[str, StringConstraints(max_length=1_000_000)]] = Field(
        default={}, max_length=100
    )
    """Name → text, written beside the answer for `command`."""

    @model_validator(mode="after")
    def _one_check(self) -> Self:
        given = [name for name in CHECKS if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"exactly one of {', '.join(CHECKS)} says what is right, found {found}")
        if self.files and self.command is None:
            raise ValueError("files are only for a command; leave them out")
        return self

    @field_validator("answer", mode="before")
    @classmethod
    def _number_as_text(cls, answer: object) -> object:
        # YAML reads `answer: 42` as a number.
        plain_number = isinstance(answer, int | float) and not isinstance(answer, bool)
        return str(answer) if plain_number else answer

    @field_validator("matches")
    @classmethod
    def _compiles(cls, matches: str | None) -> str | None:
        try:
            re.compile(matches or "")
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"is no regular expression of Python's ({error}); mend it") from None
        return matches

    @property
    def acceptance_criteria(self) -> tuple[str, ...]:
        """What the agents are told of the form in which their answer is read."""
        if self.asserts is not None:
            return (CODE_BLOCK,)
        return () if self.command is not None else (ANSWER_LINE,)


def answer_in(text: str) -> str:
    """Return what a text answers: what follows its last `Answer:`, else all of it.

    That is the rest of the line or, where nothing is left of it, the next line that is not blank. White space
    becomes single blanks; emphasis and code marks round it, and one full stop behind it, are dropped.
    """
    marked = list(_MARKED.finditer(text))
    if not marked:
        return normalised(text)
    rest = marked[-1][1].strip(_DECORATION)
    if not rest:
        following = (line.strip(_DECORATION) for line in text[marked[-1].end() :].splitlines())
        rest = next((line for line in following if line), "")
    return normalised(rest)


def normalised(text: str) -> str:
    """Return the text as answers are compared."""
    words = " ".join(text.split()).strip(_DECORATION)
    return words.removesuffix(".").strip(_DECORATION)


def code_in(text: str) -> str:
    """Return the first fenced block of code, else the whole text."""
    blocks = code_blocks(text)
    return blocks[0].body if blocks else text
