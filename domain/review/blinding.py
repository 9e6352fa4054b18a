"""What reviewers see of a proposal: nothing that says who wrote it, nothing that people could not see."""

from __future__ import annotations

from domain.review.names import Names, is_closing_name, is_signature
from domain.text.code_blocks import Piece, pieces
from domain.text.visible import readable


def blind(text: str, names: Names) -> str:
    """Take identity off a text. Idempotent, and a function of its arguments alone.

    Outside code: agent and model names become `[agent]` and `[model]`, signature lines go, "as an AI language
    model" becomes "as an author". Fenced code stays byte for byte, names in its comments included: a reviewer
    must judge the code that would run. Two exceptions hold there too, since code would otherwise be the free
    pass for both: characters that show nothing are removed, and chat-template tokens get a blank
    (domain.text.visible). The gate's checks and the stored proposal keep the original.
    """
    kept = [piece.text if piece.code else _prose(piece, names) for piece in pieces(readable(text))]
    return _without_closing_names("".join(kept))


def _prose(piece: Piece, names: Names) -> str:
    lines = names.taken_off(piece.text).split("\n")
    return "\n".join(line for line in lines if not is_signature(line))


def _without_closing_names(text: str) -> str:
    *before, last = pieces(text) or (Piece(""),)
    if last.code:
        return text
    lines = last.text.split("\n")
    while (end := _last_written(lines)) is not None and (is_closing_name(lines[end]) or is_signature(lines[end])):
        del lines[end]
    return "".join(piece.text for piece in before) + "\n".join(lines)


def _last_written(lines: list[str]) -> int | None:
    return next((at for at in range(len(lines) - 1, -1, -1) if lines[at].strip()), None)
