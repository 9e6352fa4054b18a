"""Code in texts from outside, coloured on the server: comments, strings, numbers and keywords, nothing finer.

Lexers of full languages take seconds over twenty thousand chosen characters, some of them minutes, and who writes
proposals chooses. Here every pattern takes what it began, to the end of the text if need be, and is tried once
at a place: time grows with the text's length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from domain.text.code_blocks import Piece, pieces
from domain.text.visible import escaped

MOST_KEPT = 256
"""Texts whose colours are remembered: what is decided is looked at again."""

_DOUBLE = r'"(?:[^"\\\n]|\\.)*"?'
_SINGLE = r"'(?:[^'\\\n]|\\.)*'?"
_CHARACTER = r"'(?:[^'\\\n]|\\[^\n]{1,9}?)'"
_BACKTICK = r"`(?:[^`\\]|\\(?:[\s\S]|\Z))*`?"
_TRIPLE = r'"""(?:[^\\]|\\(?:[\s\S]|\Z))*?(?:"""|\Z)|' + r"'''(?:[^\\]|\\(?:[\s\S]|\Z))*?(?:'''|\Z)"
_HASH = r"(?<![^\s;(])#[^\n]*"
_SLASHES = r"//[^\n]*|/\*[\s\S]*?(?:\*/|\Z)"
_DASHES = r"--[^\n]*|/\*[\s\S]*?(?:\*/|\Z)"
_WORDS = r"(?P<number>\b\d[\w.]*)|(?P<word>[^\W\d]\w*)"


@dataclass(frozen=True)
class _Language:
    pattern: re.Pattern[str]
    keywords: frozenset[str]


def _language(comments: str, strings: str, keywords: str) -> _Language:
    pattern = f"(?P<comment>{comments})|(?P<string>{strings})|{_WORDS}"
    return _Language(re.compile(pattern), frozenset(keywords.split()))


_C_WORDS = """
    auto break case char class const continue default delete do double else enum extern false float for goto
    if inline int long namespace new null nullptr private protected public return short signed sizeof static
    struct switch template this throw true try catch typedef typename union unsigned using virtual void
    volatile while
"""
_JAVA_WORDS = """
    abstract boolean break byte case catch char class const continue default do double else enum extends
    false final finally float for fun if implements import int interface internal long namespace new null
    object override package private protected public record return sealed short static super switch
    synchronized this throw throws true try using val var void volatile when while
"""
_SCRIPT_WORDS = """
    abstract any as async await boolean break case catch class const continue debugger default delete do else
    enum export extends false finally for from function if implements import in instanceof interface keyof
    let new null number of private protected public readonly return static string super switch this throw
    true try type typeof undefined var void while yield
"""
_PYTHON_WORDS = """
    False None True and as assert async await break case class continue def del elif else except finally for
    from global if import in is lambda match nonlocal not or pass raise return self try while with yield
"""
_GO_WORDS = """
    break case chan const continue default defer else fallthrough false for func go goto if import interface
    map nil package range return select string struct switch true type var
"""
_RUST_WORDS = """
    as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod
    move mut pub ref return self Self static struct super trait true type unsafe use where while
"""
_SHELL_WORDS = (
    "case do done elif else esac export fi for function if in local read return set shift then unset until while"
)
_SQL_WORDS = """
    add all alter and as asc begin between by case check column commit constraint create default delete desc
    distinct drop else end exists foreign from full group having if in index inner insert into is join key
    left like limit not null on or order outer primary references right rollback select set table then union
    unique update values view when where with
"""

_PYTHON = _language(_HASH, f"{_TRIPLE}|{_DOUBLE}|{_SINGLE}", _PYTHON_WORDS)
_SCRIPT = _language(_SLASHES, f"{_DOUBLE}|{_SINGLE}|{_BACKTICK}", _SCRIPT_WORDS)
_SHELL = _language(_HASH, f"{_DOUBLE}|{_SINGLE}", _SHELL_WORDS)
_C = _language(_SLASHES, f"{_DOUBLE}|{_SINGLE}", _C_WORDS)
_JAVA = _language(_SLASHES, f"{_TRIPLE}|{_DOUBLE}|{_SINGLE}", _JAVA_WORDS)
_GO = _language(_SLASHES, f"{_DOUBLE}|{_BACKTICK}|{_CHARACTER}", _GO_WORDS)
_RUST = _language(_SLASHES, f"{_DOUBLE}|{_CHARACTER}", _RUST_WORDS)
_SQL = _language(_DASHES, f"{_DOUBLE}|{_SINGLE}", f"{_SQL_WORDS} {_SQL_WORDS.upper()}")
_DATA = _language(_HASH, f"{_DOUBLE}|{_SINGLE}", "true false null yes no on off")
_JSON = _language(_SLASHES, _DOUBLE, "true false null")
_DIFF = _Language(
    re.compile(r"(?m)^(?:(?P<added>\+[^\n]*)|(?P<removed>-[^\n]*)|(?P<comment>@@[^\n]*))"), frozenset()
)

LANGUAGES = {
    **dict.fromkeys(("python", "py", "python3", "pycon"), _PYTHON),
    **dict.fromkeys(("javascript", "js", "jsx", "typescript", "ts", "tsx", "mjs"), _SCRIPT),
    **dict.fromkeys(("bash", "sh", "shell", "zsh", "console", "dockerfile", "makefile", "make"), _SHELL),
    **dict.fromkeys(("c", "cpp", "c++", "h", "hpp"), _C),
    **dict.fromkeys(("java", "kotlin", "kt", "csharp", "cs", "c#", "scala"), _JAVA),
    **dict.fromkeys(("go", "golang"), _GO),
    **dict.fromkeys(("rust", "rs"), _RUST),
    **dict.fromkeys(("sql", "postgresql", "sqlite", "mysql"), _SQL),
    **dict.fromkeys(("yaml", "yml", "toml", "ini", "conf", "properties"), _DATA),
    **dict.fromkeys(("json", "jsonc", "json5"), _JSON),
    **dict.fromkeys(("diff", "patch"), _DIFF),
}
"""First word of a fence's info string, in lower case → how its code is read; other code stays plain."""


@lru_cache(maxsize=MOST_KEPT)
def highlighted(text: str) -> Markup:
    """Write a text for a page, fenced code in elements of its own; all of it together is the text."""
    # What hides is escaped first, so that an escape is not cut in two.
    return Markup("").join(
        _block(piece) if piece.code else Markup.escape(piece.text) for piece in pieces(escaped(text))
    )


def _block(piece: Piece) -> Markup:
    """Colour what stands between the fences."""
    begin = piece.text.index("\n") + 1
    end = begin + len(piece.body)
    code = _coloured(piece.body, LANGUAGES.get(piece.language))
    return Markup('<code class="block">{}{}{}</code>').format(piece.text[:begin], code, piece.text[end:])


def _coloured(code: str, language: _Language | None) -> Markup:
    if language is None:
        return Markup.escape(code)
    return Markup("").join(
        Markup('<span class="{}">{}</span>').format(kind, text) if kind else Markup.escape(text)
        for kind, text in _tokens(code, language)
    )


def _tokens(code: str, language: _Language) -> Iterator[tuple[str, str]]:
    """Yield runs of characters with their kind, empty for what has none; joined they are the code."""
    plain = 0
    for found in language.pattern.finditer(code):
        kind = found.lastgroup or ""
        if kind == "word":
            kind = "keyword" if found[0] in language.keywords else ""
        if kind:
            yield "", code[plain : found.start()]
            yield kind, found[0]
            plain = found.end()
    yield "", code[plain:]
