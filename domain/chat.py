"""What is sent to a model and what comes back: requests, answers, failures."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field, JsonValue, StringConstraints

from domain.text.visible import readable
from domain.thinking import ThoughtsPlace
from domain.value import Name, OpenValue, Value

LineName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,63}$")]
"""What a line of a ballot is called: nothing in it means anything to a regex, a grammar or JSON."""
DIGITS = "123456789"
NO_YES = ("no", "yes")


class Line(NamedTuple):
    """One line of a form: its name, and the words of which one stands behind it."""

    name: str
    words: tuple[str, ...]
    lowest: int
    """What the first word is worth; each further one is worth one more."""

    def worth(self, line: str) -> int | None:
        """Return what a written line is worth; None for any other text than the name, one blank and a word."""
        written = {f"{self.name}: {word}": worth for worth, word in enumerate(self.words, self.lowest)}
        return written.get(line)


class ScoreForm(Value):
    """An answer that holds nothing but scores: one line for each, its name and a digit from 1 to 9.

    Its text is `A fit: 7`, a line break, `A clarity: 5` and so on. Side by side (`75`) small models copy the first
    digit. How an engine is made to answer so (regex, grammar, JSON Schema) is its adapter's business; an adapter
    whose engine answers in another form translates the answer back into this text.
    """

    lines: tuple[LineName, ...] = Field(min_length=1, max_length=512)
    highest: int = Field(default=9, ge=2, le=9)
    """The greatest digit of a line; 2 makes it a choice between 1 and 2."""
    checks: tuple[LineName, ...] = Field(default=(), max_length=512)
    """Lines behind those with digits, each answered `yes`, which is worth 1, or `no`, which is worth 0."""

    @property
    def rows(self) -> tuple[Line, ...]:
        """Every line of the form, from first to last."""
        return _rows(self.lines, self.highest, self.checks)

    @property
    def shape(self) -> str:
        """The form with x for digits and y for yes or no: small models would copy an example with digits."""
        return "\n".join([*(f"{name}: x" for name in self.lines), *(f"{name}: y" for name in self.checks)])

    @property
    def max_tokens(self) -> int:
        """Bound on an answer in this form: no token is shorter than a character, one to end, one to spare.

        An engine that answers in another form sets its own bound.
        """
        return sum(len(f"{row.name}: {max(row.words, key=len)}\n") for row in self.rows) + 1

    def read(self, text: str) -> tuple[int, ...] | None:
        """Return what each line is worth; None for a text off the form. Raises nothing, whatever the text.

        White space round the whole is dropped; everything else must fit exactly: names, their order, one blank,
        one ASCII digit, no zero and none above the highest.
        """
        rows = self.rows
        written = text.strip(" \t\r\n").split("\n", len(rows))
        if len(written) != len(rows):
            return None
        found = [row.worth(line) for line, row in zip(written, rows, strict=True)]
        return None if None in found else tuple(worth for worth in found if worth is not None)


# A call reads its form's lines some ten times, and all deliberations of a rubric ask in the same forms.
@lru_cache(maxsize=128)
def _rows(lines: tuple[str, ...], highest: int, checks: tuple[str, ...]) -> tuple[Line, ...]:
    digits = tuple(DIGITS[:highest])
    return (
        *(Line(name, digits, lowest=1) for name in lines),
        *(Line(name, NO_YES, lowest=0) for name in checks),
    )


class Message(Value):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, AfterValidator(readable)]
    """Cleaned here, whoever wrote its parts: no hidden character, no chat-template token reaches a model."""


class ChatRequest(Value):
    """One model call; what several requests share stands first, byte for byte (prefix cache)."""

    key: str
    """Tells the outcomes of one `ask` apart; within a deliberation its entry's key (`domain.keys`), with an ending
    where several calls make one entry."""
    model: Name
    messages: tuple[Message, ...] = Field(min_length=1)
    max_tokens: int = Field(ge=1)
    temperature: float = Field(default=0.0, ge=0, le=2)
    seed: int | None = None
    timeout_s: float = Field(gt=0)
    """Bound on the whole call, waiting for a busy engine included."""
    form: ScoreForm | None = None
    """None asks for free text."""
    thinking_tokens: int = Field(default=0, ge=0)
    """Room for thoughts on top of `max_tokens`; 0 asks the model not to think."""
    agent_id: str = ""
    """Who asks, for traces; no engine sees it."""
    traceparent: str = ""
    """W3C trace context of this call, passed on to the engine; empty for none."""


class Usage(OpenValue):
    """Tokens of one model call or of several."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    """Part of `completion_tokens` that went into thoughts."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
        )


class Exchange(Value):
    """What passed between us and an engine besides texts, for traces alone: nothing is decided by it."""

    url: str = ""
    """Of the engine that was called; empty where none was."""
    parameters: dict[str, JsonValue] = {}
    """The request's body without model and messages, as it was sent."""
    response_id: str = ""
    """The engine's name for its answer; empty where it gave none that can be shown."""
    model: str = ""
    """What the engine calls the model that answered; empty where it doesn't say."""
    finish_reason: str = ""
    """Why the answer ended, in the engine's word; empty where it doesn't say."""
    usage: Usage = Usage()
    """Tokens that an answer took which became a failure."""


class ChatAnswer(Value):
    """A model's answer."""

    key: str
    model: Name
    """The model that was asked; what an engine calls its model is not believed."""
    engine: str
    """Name of the engine that answered, as the directory has it."""
    text: str
    expected: tuple[float, ...] = ()
    """For an answer in a form, line by line: the mean under the model's own probabilities of the words that may
    stand there, digits from 1 to the form's highest or no and yes; empty where the engine does not tell them."""
    cut_off: bool = False
    """True if the answer ended at `max_tokens`."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Part of `prompt_tokens` that the engine's prefix cache served; 0 where it doesn't tell."""
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    """Part of `completion_tokens` that went into thoughts; estimated where the engine doesn't tell."""
    thoughts: ThoughtsPlace = ThoughtsPlace.NOWHERE
    """Where the engine put thoughts; they themselves are gone."""
    duration_ms: float = 0.0
    exchange: Exchange = Exchange()


class FailureReason(StrEnum):
    """Why a model call gave no answer, or an agent no proposal."""

    TIMEOUT = "timeout"
    """No answer within the call's bound."""
    UNREACHABLE = "unreachable"
    """The engine's connection failed or broke, or it answered 5xx other than 503."""
    BUSY = "busy"
    """The engine answered 429 or 503 until the bound was over."""
    NOT_SERVED = "not_served"
    """No live engine serves the model."""
    REFUSED = "refused"
    """The engine rejected the request (4xx), named another address (3xx), or filtered the answer; or the model
    refused."""
    CONTEXT_EXCEEDED = "context_exceeded"
    """Prompt and answer do not fit the model's context; nothing was sent."""
    MALFORMED = "malformed"
    """The engine's answer was against its protocol, or twice off the form asked for."""
    EMPTY = "empty"
    """The answer was blank."""
    CUT_OFF = "cut_off"
    """The answer ended at `max_tokens`."""
    REJECTED = "rejected"
    """A hard check or a limit refused the proposal."""
    DEADLINE = "deadline"
    """The deliberation's time was over before this was done."""
    POISON = "poison"
    """The task took its worker down more than once and was parked."""
    BUDGET = "budget"
    """The deliberation's token budget was spent."""
    INTERNAL = "internal"
    """A defect or a lost dependency: the task failed more often than it is retried."""

    @property
    def passing(self) -> bool:
        """True where the same call may succeed later unchanged: the engine failed, not the request."""
        return self in {FailureReason.UNREACHABLE, FailureReason.BUSY, FailureReason.NOT_SERVED}


class ChatFailure(Value):
    """A model call that gave no answer."""

    key: str
    reason: FailureReason
    detail: str = ""
    """One sentence for people; never a prompt or an answer."""
    engine: str = ""
    thoughts: ThoughtsPlace = ThoughtsPlace.NOWHERE
    """Where the engine put thoughts that no answer followed."""
    exchange: Exchange = Exchange()


ChatOutcome = ChatAnswer | ChatFailure
"""What one request led to."""


def usage_of(answer: ChatAnswer) -> Usage:
    """Return the tokens of one answer."""
    return Usage(
        prompt_tokens=answer.prompt_tokens,
        cached_tokens=answer.cached_tokens,
        completion_tokens=answer.completion_tokens,
        reasoning_tokens=answer.reasoning_tokens,
    )
