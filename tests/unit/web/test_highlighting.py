"""Code is coloured, and whatever it holds the page shows exactly that text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.text.visible import escaped
from tests.support.hostile_deliberation import TEXTS
from tests.support.web import Seen
from web.highlighting import LANGUAGES, highlighted

ALLOWED = {"code": ("class",), "span": ("class",)}
CODE = st.text(st.sampled_from("ab \n\t\"'`\\/*#-+@0.'<&>\u202e\x00"), max_size=80)


def shown(text: str) -> Seen:
    seen = Seen(str(highlighted(text)))
    assert all(ALLOWED[tag] == names for tag, names in seen.shapes)
    assert "".join(seen.texts) == escaped(text)
    return seen


def kinds(code: str, language: str) -> list[tuple[str, str]]:
    """Return the coloured runs of a block with their kinds."""
    parts = str(highlighted(f"```{language}\n{code}\n```\n")).split('<span class="')[1:]
    return [(part.split('"')[0], part.split(">")[1].split("<")[0]) for part in parts]


@pytest.mark.parametrize(
    ("language", "code", "expected"),
    [
        ("python", "x = f(1.5)  # why", [("number", "1.5"), ("comment", "# why")]),
        (
            "python",
            "return '''a\n'b'''",
            [("keyword", "return"), ("string", "&#39;&#39;&#39;a\n&#39;b&#39;&#39;&#39;")],
        ),
        ("js", "const a = `x\ny`; // z", [("keyword", "const"), ("string", "`x\ny`"), ("comment", "// z")]),
        ("sh", 'if [ "$#" = 1 ]', [("keyword", "if"), ("string", "&#34;$#&#34;"), ("number", "1")]),
        ("rust", "fn f<'a>(c: char) {}", [("keyword", "fn")]),
        ("sql", "SELECT 1 -- one", [("keyword", "SELECT"), ("number", "1"), ("comment", "-- one")]),
        ("diff", "-a\n+b\n c", [("removed", "-a"), ("added", "+b")]),
        ("brainfuck", "if 1 # x", []),
    ],
)
def test_what_is_coloured(language: str, code: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(code, language) == expected


def test_prose_stays_as_it_is() -> None:
    assert str(highlighted("if 1 # <b>")) == "if 1 # &lt;b&gt;"


@given(language=st.sampled_from(sorted(LANGUAGES)), code=CODE)
@example(language="python", code='"""\\')
def test_a_text_is_shown_whole_whatever_it_is_taken_for(language: str, code: str) -> None:
    shown(f"before\n```{language}\n{code}\n```\nafter")


@pytest.mark.parametrize("language", ["python", "js", "diff"])
def test_hostile_texts_are_shown_whole(language: str) -> None:
    for text in TEXTS.values():
        shown(f"```{language}\n{text[:20_000]}\n```\n")


@pytest.mark.parametrize("language", sorted({id(found): name for name, found in LANGUAGES.items()}.values()))
def test_no_code_takes_long(language: str) -> None:
    # A pattern that is tried to the end from every place would take hours here, and the test's own bound ends it.
    for seed in ("\\", "`\\", "/*", "a("):
        shown(f"```{language}\n{seed * (200_000 // len(seed))}\n```\n")
