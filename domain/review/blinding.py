"""Blinding: reviewers see of a proposal nothing that says who wrote it, and nothing that people could not see.

Authors give themselves away by names of agents and models, and by phrases in which models introduce themselves.
Every rule replaces, none deletes within a line, so that no rule can compose what another one looks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from domain.review.spellings import spelt, spelt_out
from domain.text.code_blocks import Piece, pieces
from domain.text.lookalikes import folded
from domain.text.visible import readable

AGENT = "[agent]"
MODEL = "[model]"
IN_CODE = {AGENT: "agent_name", MODEL: "model_name"}
"""Stand-ins that leave code to be the code it was: they may stand wherever a name may."""

_FAMILIES = (
    r"(?:chat-?gpt|gpt-?\d|claude|gemini|gemma|llama|mi[sx]tral|qwen|qwq|deepseek|smollm|granite|olmo|falcon"
    r"|vicuna|alpaca|grok|phi-?\d|nemotron|kimi|glm-?\d|yi-\d+b|command[ -]r|copilot|openai|anthropic)"
)
_VERSION = r"(?:[-.]?\w){0,40}+(?:[ ]\d(?:[-.]?\w){0,20}+){0,2}+"
_GAP = r"[ \t]{1,3}"
_SAYS_NAME = rf"(?:i am|i'm|i\u2019m|my name is|call me){_GAP}"
_SAYS_PART = rf"(?:(?<!such )(?<!well )as|this is){_GAP}"
_KIND = rf"(?:(?:an?|the|your){_GAP})?(?:(?:ai{_GAP})?(?:agent|model|assistant|proposer|member|author){_GAP})?"
_ENDS = rf"(?=['\u2019]?\s{{0,3}}(?:[,.:;!)\]*_\u2014\u2013]|$)|{_GAP}(?:i|my)\b)"

_SAID_MODEL = re.compile(rf"(?<!\w)({_SAYS_NAME}{_KIND}){_FAMILIES}{_VERSION}", re.IGNORECASE)
_PART_MODEL = re.compile(
    rf"(?<!\w)({_SAYS_PART}{_KIND}){_FAMILIES}{_VERSION}{_ENDS}", re.IGNORECASE | re.MULTILINE
)
_MADE_BY = rf"(?:,?{_GAP}(?:trained|developed|created|made|built){_GAP}by{_GAP}{_FAMILIES}{_VERSION})?"
_MACHINE = (
    rf"an?{_GAP}(?:(?:large|helpful|ai|artificial{_GAP}intelligence){_GAP}){{0,3}}"
    rf"(?:language{_GAP}model|llm|ai|chatbot|(?<=ai )(?:model|assistant|agent|system))(?!\w){_MADE_BY}"
)
_SELF_MACHINE = re.compile(
    rf"(?<!\w)(?:(as{_GAP}){_MACHINE}(?=\s{{0,3}},|{_GAP}(?:i|my)\b)|((?:i am|i'm|i\u2019m){_GAP}){_MACHINE})",
    re.IGNORECASE,
)
_SIGN_OFF = re.compile(
    r"[^\w\n]*+(?:signed(?:[- ]off)?(?:[- ]by)?|signature|sincerely|(?:(?:best|kind|warm)\s)?regards"
    r"|yours\s(?:truly|sincerely|faithfully))(?:\s*+[,:\u2014\u2013-][^\w\n]*+(?:[\w.'@<>-]++\s?+){0,4}+)?[^\w\n]*+",
    re.IGNORECASE,
)
_DASHED_NAME = re.compile(r"\s*+(?:[\u2014\u2013]|--)\s*+[\w.'@-]++(?:\s[\w.'@-]++){0,2}+\s*+")
_SIGNATURE_WORDS = frozenset(
    {"signed", "signature", "sign", "off", "sincerely", "regards", "best", "kind", "warm", "yours", "truly"}
    | {"faithfully", "by", "from", "author", "authored", "proposer", "proposed", "written", "prepared", "drafted"}
    | {"submitted", "agent", "model", "as", "i", "am", "this", "is", "my", "name", "the", "an", "a", "of", "and"}
    | {"proposal", "role", "member", "council", "on", "behalf"}
)


class Names:
    """The names to take off: of this deliberation's agents, and of the models they run on."""

    def __init__(self, *, agents: Iterable[str] = (), models: Iterable[str] = ()) -> None:
        by_model = {form for model in models if model.strip() for form in _model_forms(model.strip())}
        by_agent = {agent.strip() for agent in agents if agent.strip()} - by_model
        named = ((by_agent, AGENT), (by_model, MODEL))
        self._anywhere = [
            (_SELF_MACHINE, "an author"),
            (_SAID_MODEL, MODEL),
            *((rule, stand_in) for names, stand_in in named for rule in _rules_anywhere(names)),
        ]
        self._in_prose = [
            (_PART_MODEL, MODEL),
            *((rule, stand_in) for names, stand_in in named for rule in _rules_in_prose(names)),
        ]

    def taken_off(self, text: str, *, code: bool = False) -> str:
        """Replace the names, in all their spellings, and every phrase by which a model says that it is one."""
        for rule, stand_in in self._anywhere if code else [*self._anywhere, *self._in_prose]:
            text = _replaced(rule, IN_CODE.get(stand_in, stand_in) if code else stand_in, text)
        return text


def blind(text: str, names: Names) -> str:
    """Take identity off a text. Idempotent, and a function of its arguments alone.

    Agent and model names become `[agent]` and `[model]`, signature lines go, "as an AI language model" becomes
    "as an author". In fenced code names become `agent_name` and `model_name`, and no line goes: a reviewer must
    judge the code that would run. Names that are ordinary words stay there, and so do `as` and `this is` before a
    model's name, which are code. Hidden characters are removed and chat-template tokens get a blank
    (domain.text.visible) in code as well. The gate's checks and the stored proposal keep the original.
    docs/ballots.md says what is not found.
    """
    blinded = (_blinded(piece, names) for piece in pieces(readable(text)))
    return _without_closing_names("".join(blinded))


def _blinded(piece: Piece, names: Names) -> str:
    text = names.taken_off(piece.text, code=piece.code)
    return text if piece.code else "\n".join(line for line in text.split("\n") if not _is_signature(line))


def _replaced(rule: re.Pattern[str], stand_in: str, text: str) -> str:
    """Put the stand-in in place of what the rule finds behind its one group, however it is spelt."""
    written, end = list[str](), 0
    for match in rule.finditer(folded(text)):
        assert match.lastindex is not None
        written += [text[end : match.end(match.lastindex)], stand_in]
        end = match.end()
    return "".join([*written, text[end:]])


def _without_closing_names(text: str) -> str:
    *before, last = pieces(text) or (Piece(""),)
    if last.code:
        return text
    lines, closing = last.text.split("\n"), list[str]()
    while lines and (not lines[-1].strip() or _closes(lines[-1])):
        closing.append(lines.pop())
    lines += [line for line in reversed(closing) if not line.strip()]
    return "".join(piece.text for piece in before) + "\n".join(lines)


def _is_signature(line: str) -> bool:
    """Tell whether a line says who wrote the text and nothing else."""
    if AGENT in line or MODEL in line:
        rest = line.replace(AGENT, " ").replace(MODEL, " ")
        return all(word in _SIGNATURE_WORDS for word in re.findall(r"[^\W_]+", rest.lower()))
    return _SIGN_OFF.fullmatch(line) is not None


def _closes(line: str) -> bool:
    """Tell whether a last line is a signature, or a dash and a short name, as people end letters."""
    return _DASHED_NAME.fullmatch(line) is not None or _is_signature(line)


def _model_forms(model: str) -> set[str]:
    """`Qwen/Qwen3-0.6B` → itself, `Qwen3-0.6B`, `Qwen3`; a bare family is left to the phrases."""
    base = model.rsplit("/", 1)[-1]
    stem = re.split(r"[-_:.\s]", base, maxsplit=1)[0]
    return {model, base} | ({stem} if re.search(r"\d", stem) else set())


def _rules_anywhere(names: Iterable[str]) -> list[re.Pattern[str]]:
    telling = [name for name in _longest_first(names) if _is_telling(name)]
    plain = _plain(names)
    patterns = []
    if telling:
        spellings = [*map(spelt, telling), *filter(None, map(spelt_out, telling))]
        patterns.append(rf"()(?<![^\W_])(?:{'|'.join(spellings)})(?![^\W_])")
    if plain:
        patterns.append(rf"(?<!\w)({_SAYS_NAME}{_KIND}){plain}{_ENDS}")
    return [re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in patterns]


def _rules_in_prose(names: Iterable[str]) -> list[re.Pattern[str]]:
    # "security" may be an agent's id and is certainly a word: taken off only where an author introduces itself.
    plain = _plain(names)
    if not plain:
        return []
    patterns = (
        rf"(?<!\w)({_SAYS_PART}{_KIND}){plain}{_ENDS}",
        rf"(?<!\w)((?:agent|reviewer|proposer){_GAP}){plain}",
        rf"^([^\w\n]*(?:\u2014|\u2013|--|signed|author|(?:written|proposed|prepared) by):?[ \t]*){plain}"
        rf"(?=[^\w\n]*$)",
    )
    return [re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in patterns]


def _plain(names: Iterable[str]) -> str:
    """Return a pattern for all names that are ordinary words; empty for none."""
    plain = "|".join(spelt(name) for name in _longest_first(names) if not _is_telling(name))
    return rf"(?:{plain})(?![^\W_])" if plain else ""


def _longest_first(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (-len(name), name))


def _is_telling(name: str) -> bool:
    """Tell whether a name is no ordinary word: at least three characters, with a letter and a digit or a mark."""
    return len(name) >= 3 and bool(re.search(r"[^\W\d_]", name) and re.search(r"\d|[-_./:@]|[a-z][A-Z]", name))
