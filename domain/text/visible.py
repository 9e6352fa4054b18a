"""What people can see of a text: for models without hidden characters and template tokens, for people escaped."""

from __future__ import annotations

import re
from collections.abc import Callable

_HIDDEN_RANGES = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls, except tab and what breaks a line
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # Default_Ignorable_Code_Point of Unicode 15
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # the last: tag block, more selectors
    "\ufff9-\ufffb\U00013430-\U0001343f\u2800"  # annotations, hieroglyph joiners, the blank braille cell
    "\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff\U000f0000-\U0010ffff"  # surrogates, private use
)
_HIDDEN = re.compile(f"[{_HIDDEN_RANGES}]")
_TO_CLEAN_IN_ASCII = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE_BREAK = re.compile("[\x0b\x0c\x85\u2028\u2029]")
_JOINED_LETTERS = "\u0600-\u0dff\u0f00-\u109f\u1780-\u18af"
_SYMBOLS = "\u2190-\u2bff\U0001f000-\U0001faff"
_HIDDEN_FROM_PEOPLE = re.compile(
    rf"(?P<spelling>(?<=[{_JOINED_LETTERS}])[\u200c\u200d](?=[{_JOINED_LETTERS}])"
    rf"|(?<=[\ufe0f{_SYMBOLS}])\u200d(?=[{_SYMBOLS}])|(?<=[#*0-9\xa9\xae\u203c-\u3299{_SYMBOLS}])\ufe0f)"
    rf"|[{_HIDDEN_RANGES}\r\x0b\x0c\x85\u2028\u2029]"
)
_TEMPLATE_TOKEN = re.compile(
    r"""
      <(?=[|\uff5c][^<>|\uff5c\s]{1,60}[|\uff5c]>)
    | <(?=\|(?:turn|channel|think|tool|tool_call|tool_response|image|audio|video)>)
    | <(?=(?:turn|channel|think|tool|tool_call|tool_response|image|audio|video)\|>)
    | <(?=/?(?:s|bos|eos|eot|eop|sop|unk|pad|endoftext|end_of_text|(?:start|end)_of_(?:turn|image|audio)
              |end_of_utterance|think|tool_calls?|tool_response|function_calls?|unused\d{1,3}
              |(?:BOS|EOS|EOP|PAD|MASK)_TOKEN|SPECIAL_\d{1,4}|extra_id_\d{1,3}|seed:\w{1,30}|minimax:\w{1,30})>)
    | <(?=</?SYS>>)
    | \[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|THINK|IMG|ARGS|CALL_ID
               |MODEL_SETTINGS|[gs]MASK)\])
    | \[(?=\|(?:system|user|assistant|tool|endofturn)\|\])
    | \[(?=e~\[) | \](?=~!?b[\[\]])
    | \u25c1(?=/?think\u25b7)
    """,
    re.VERBOSE,
)
"""ChatML, Llama, Mistral, Gemma, Phi, DeepSeek, Command, GLM, Nemotron, EXAONE, Kimi, Seed, MiniMax and others."""


def visible(text: str) -> str:
    """Drop every character that shows nothing, and make every line break but CR a newline.

    Written as ranges rather than by `unicodedata`, whose tables differ between Python versions: a stored
    deliberation must be rendered to the same bytes by all of them. The price: joiners that Persian and Indic
    spelling and composed emoji use are lost too, for every author alike.
    """
    # Beyond ASCII each character is compared with every range: ten times as long.
    if text.isascii() and not _TO_CLEAN_IN_ASCII.search(text):
        return text
    return _LINE_BREAK.sub("\n", _HIDDEN.sub("", text))


def defused(text: str) -> str:
    """Put a blank after the first character of every chat-template token, code included.

    Engines look for these tokens in the whole rendered prompt, user text and code blocks included, so one
    `<|im_end|>` left alone would end the turn. They are matched literally, so a blank inside is enough, and
    readers still see what was written. Nothing else is changed, and a token can't arise from the change.
    """
    return _TEMPLATE_TOKEN.sub(lambda token: f"{token[0]} ", text)


def readable(text: str) -> str:
    """Return what may be put into a prompt: `visible`, then `defused`. Idempotent; plain text is unchanged.

    Every message to a model passes through it as a whole (`domain.chat.Message`), wherever its parts are from.
    """
    return defused(visible(text))


def as_python(character: str) -> str:
    """Write a character as Python does: `\\x1b`, `\\u202e`."""
    return character.encode("unicode_escape").decode()


def escaped(text: str, escape: Callable[[str], str] = as_python) -> str:
    """Write every hidden character by its escape, newlines and tabs left: what may be shown to people. Idempotent.

    So a text can neither command a terminal nor hold what is not seen. Joiners stay where Arabic spelling, Indic
    spelling and emoji need them.
    """
    return _HIDDEN_FROM_PEOPLE.sub(lambda hidden: hidden["spelling"] or escape(hidden[0]), text)


def escaped_line(text: str) -> str:
    """Return `escaped` in one line, so that a text can't pretend to be the next one."""
    return escaped(text).replace("\n", "\\n")
