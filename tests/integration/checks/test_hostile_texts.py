"""Whatever stands in a proposal, every check comes to an end within its bounds on time and memory."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checks.bounds import CheckBounds
from domain.checks.check import PlanFacts
from domain.checks.fenced_code import LONGEST
from domain.checks.runner import InProcess
from domain.limits import Limits
from domain.review.blinding import Names, blind
from tests.integration.checks.conftest import helpers
from tests.support.examples import examples
from workers.checks.code_parses import GRAMMARS
from workers.checks.isolated import IsolatedChecks
from workers.checks.registry import LINEAR, check_points, create

MIB = 1024 * 1024
BOUNDS = CheckBounds(time_s=2.0, memory_mb=128, processes=1)
AT_REST = 100 * MIB
"""Address space of a helper that does nothing, and to spare."""
CHARS = Limits().proposal_chars
START_S = 60.0
"""Seconds for what is no check's doing: starting a helper in place of one that was lost, on a busy machine."""
LINEAR_CPU_S = 20.0
"""Processor time for one text; it takes some ten milliseconds, and hours where time grows with the square."""
FACTS = PlanFacts(title="Reset", acceptance_criteria=tuple(f"links expire after {n} hours" for n in range(50)))

ATOMS = (
    *(
        "(",
        "[",
        "{",
        "<",
        "((",
        "[[",
        "{{",
        "a=>",
        "a=>{",
        "f(",
        "a.",
        "-",
        "!",
        "not ",
        "*",
        "&",
        "if x:\n ",
        "if(",
    ),
    *("{a:", '{"a":', "[a,", "? ", "- ", "- - ", "&a [", "*a, ", "<<: *a\n", "!!a ", "a: ", "a:\n ", "|\n", ">\n"),
    *(
        "9",
        "0x",
        "1e9",
        "1_",
        "'",
        '"',
        '"""',
        "'''",
        "`",
        "\\",
        "/*",
        "//",
        "#",
        "$(",
        "${",
        "<<E\n",
        "`$(",
        "\t",
    ),
    *(
        "lambda:",
        "x if x else ",
        "f'{",
        "f'{f\"{",
        "a=",
        "a.b=1\n",
        "[a.b]\n",
        "[[a]]\n",
        "a=[{",
        "\n",
        "\r\n",
        " ",
    ),
    *("\x00", "\ud800", "\u200b", "\u202e", "\u3042", "e\u0301", "\U0001f600", "\ufeff", "\x85", "a\u2028", "..."),
    *(
        "template<",
        "a<b<",
        "::",
        "->",
        "async ",
        "<a>",
        "<a ",
        "/a/",
        "case 1:",
        "#if x\n",
        "#define a \\\n",
        "'a ",
    ),
)
LANGUAGES = ("python", "json", "toml", "yaml", "bash", *(words[0] for _, _, words in GRAMMARS.values()))
PIECES = st.one_of(st.sampled_from(ATOMS), st.text(min_size=1, max_size=8))


def laughs(depth: int, width: int) -> str:
    """A document of YAML whose aliases stand for width to the power of depth."""
    rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, depth)]
    return "\n".join(["a0: &a0 lol", *rows])


@st.composite
def codes(draw: st.DrawFn) -> str:
    """Code of some pieces again and again, opened and perhaps closed, up to what is tried of a language."""
    cycle = "".join(draw(st.lists(PIECES, min_size=1, max_size=4)))
    before, between, after = (draw(st.one_of(st.just(""), PIECES)) for _ in range(3))
    length = draw(st.sampled_from((200, 2_000, LONGEST - 100)))
    mirror = draw(st.booleans())
    half = (cycle * (length // len(cycle) + 1))[: length // 2 if mirror else length]
    return before + half + between + (closing(half) if mirror else "") + after


def closing(text: str) -> str:
    return text[::-1].translate(str.maketrans("([{<", ")]}>"))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Proposals up to the longest: fenced code of some languages, and prose of pieces again and again."""
    if draw(st.integers(0, 3)) == 0:
        return (prose := "".join(draw(st.lists(PIECES, min_size=1, max_size=6)))) * (CHARS // len(prose))
    languages = draw(st.lists(st.sampled_from(LANGUAGES), min_size=1, max_size=2, unique=True))
    return "\n".join(f"```{language}\n{draw(codes())}\n```" for language in languages)[:CHARS]


@pytest.fixture(scope="module")
def isolated() -> Iterator[IsolatedChecks]:
    runner = IsolatedChecks(check_points(), BOUNDS)
    yield runner
    runner.close()


@given(texts())
@settings(max_examples=examples(150))
def test_every_check_ends_within_its_bounds(isolated: IsolatedChecks, text: str) -> None:
    check_within_bounds(isolated, text)


@pytest.mark.parametrize(
    "text",
    [
        *(f"```{name}\n{('a=>' * 7_000)[:chars]}\n```" for name in LANGUAGES for chars in (8_000, LONGEST - 100)),
        *(f"```yaml\n{laughs(depth, width)}\n```" for depth, width in ((40, 9), (300, 9), (20, 90))),
        *(f"```{name}\nx = {'9' * 19_000}\n```" for name in ("python", "toml", "json", "yaml")),
        f"```toml\n{'a.' * 9_900}b = 1\n```",
        "```json\n[" + "\n```\n```json\n[" * 5_000,
    ],
    ids=lambda text: re.sub(r"\W+", " ", text[:16]),
)
def test_known_attacks_end_within_their_bounds(isolated: IsolatedChecks, text: str) -> None:
    check_within_bounds(isolated, text)


def check_within_bounds(isolated: IsolatedChecks, text: str) -> None:
    names = [point.name for point in check_points()]
    began = time.monotonic()
    results = isolated.run(text, FACTS)
    took_s = time.monotonic() - began

    assert [result.name for result in results] == names
    assert not [result for result in results if "itself failed" in result.reason]
    assert all(result.judged for result in results[: len(LINEAR)])
    lost = sum(not result.judged for result in results)
    assert took_s < (1 + lost) * (BOUNDS.time_s + START_S)
    for helper in helpers():
        assert peak_bytes(helper.pid) < AT_REST + BOUNDS.memory_mb * MIB


@given(texts())
@settings(max_examples=examples(150))
def test_what_runs_in_the_worker_takes_time_in_proportion(text: str) -> None:
    linear = InProcess(create(point) for point in LINEAR)
    names = Names(agents=("dev-1", "security"), models=("Qwen/Qwen3-0.6B",))
    began = time.thread_time()
    linear.run(text, FACTS)
    blind(text, names)

    assert time.thread_time() - began < LINEAR_CPU_S


def peak_bytes(pid: int) -> int:
    """Read the largest address space that a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmPeak:")]
    return int(line.split()[1]) * 1024
