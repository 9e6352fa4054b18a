"""Code in the languages of the extra: sketches as people write them parse, what is broken is told by its line."""

from __future__ import annotations

import sys

import pytest

from domain.checks.check import CheckResult, PlanFacts
from domain.checks.fenced_code import CAP, LONGEST
from workers.checks.code_parses import GRAMMARS, CodeParses
from workers.checks.registry import check_points

CODE = CodeParses()

SOUND = {
    "c": [
        '#include <stdio.h>\n#define MAX(a, b) ((a) > (b) ? (a) : (b))\nint main(void) {\n  printf("%d", 1);\n}',
        "typedef struct node { struct node *next; } node;\nx = y->next;",
    ],
    "go": [
        'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("ok")\n}',
        'if err := reset(ctx); err != nil {\n\treturn fmt.Errorf("reset: %w", err)\n}',
        "func Map[T, U any](in []T, f func(T) U) []U { ... }",
    ],
    "java": [
        "public record Token(String value, Instant expires) {}",
        '@PostMapping("/reset")\npublic void reset(@RequestBody Reset body) {\n    ...\n}',
        'var text = switch (day) { case MONDAY -> "m"; default -> ""; };',
    ],
    "javascript": [
        "export const reset = async ({ email, ...rest }) => {\n  await mail?.send(email ?? rest.to);\n};",
        "const App = () => <ul>{items.map((i) => <li key={i}>{i}</li>)}</ul>;",
        "app.post('/reset', (req, res) => {\n  // look up the user\n  ...\n});",
    ],
    "rust": [
        "use std::io;\n\n#[derive(Debug)]\nstruct Token<'a> { value: &'a str }\n",
        'let token = store.find(id)?.ok_or(Error::Gone)?;\nfor i in 0..10 { println!("{i}"); }',
        "async fn reset(id: u64) -> Result<(), Error> { … }",
    ],
    "tsx": ["export function App({ name }: Props) {\n  return <Panel<string> title={name} />;\n}"],
    "typescript": [
        "interface Token<T extends object = {}> { readonly value: T; expires?: Date }",
        "const reset = async (id: string): Promise<void> => { await api.post<Token>(`/reset/${id}`); };",
        "@Injectable()\nexport class Mailer { constructor(private readonly http: Http) {} }",
        "const config = { url: 'x' } satisfies Config;\nenum Kind { A, B }",
    ],
}
BROKEN = {
    "c": ("int main(void) {\n  int x = 1\n  return x;\n}", 2),
    "go": ("package main\n\nfunc main( {\n}", 3),
    "java": ("class A {\n  void f() {\n    int = 3;\n  }\n}", 3),
    "javascript": ("const a = 1;\nfunction f() {\n  return a +;\n}", 3),
    "rust": ("fn main() {\n    let x == 3;\n}", 2),
    "tsx": ("const a = 1;\nconst b = <div>;", 2),
    "typescript": ("const a: string = 'x';\nconst b: = 2;", 2),
}


def check(language: str, *blocks: str) -> CheckResult:
    fences = [f"```{language}\n{block}\n```" for block in blocks]
    return CODE.run("\n".join(fences), PlanFacts())


def line_of(found: CheckResult) -> int:
    return int(found.reason.split("in line ")[1].split(";")[0])


@pytest.mark.parametrize(("language", "code"), [(name, code) for name, all_ in SOUND.items() for code in all_])
def test_what_people_write_in_proposals_parses(language: str, code: str) -> None:
    found = check(language, code)

    assert (found.passed, found.score, found.reason) == (True, 1.0, "")


@pytest.mark.parametrize("language", sorted(GRAMMARS))
def test_what_does_not_parse_caps_and_is_told_by_its_line(language: str) -> None:
    code, line = BROKEN[language]
    found = check(language, SOUND[language][0], code)

    assert (found.passed, found.hard, found.cap, found.score) == (False, True, CAP, 0.5)
    assert found.reason.startswith("1 of 2 blocks broken")
    assert line_of(found) == len(SOUND[language][0].split("\n")) + 3 + line


@pytest.mark.parametrize(
    ("spelt", "language"),
    [("js", "javascript"), ("jsx", "javascript"), ("ts", "typescript"), ("golang", "go"), ("rs", "rust")],
)
def test_the_usual_short_names_are_known(spelt: str, language: str) -> None:
    assert check(spelt, SOUND[language][0]).passed
    assert not check(spelt, BROKEN[language][0]).passed


def test_other_languages_are_not_looked_at() -> None:
    assert check("sql", "select from where").reason == "nothing to try"
    assert check("", "x = = 1").reason == "nothing to try"


def test_code_indented_in_a_list_is_told_by_its_line_too() -> None:
    text = "1. First:\n\n    ```go\n    x := 1\n    y := := 2\n    ```\n"

    assert line_of(CODE.run(text, PlanFacts())) == 5


def test_an_open_end_is_broken() -> None:
    assert not check("go", "func f() {\n\tif x {").passed
    assert not check("java", 'String s = "open').passed


@pytest.mark.parametrize("language", sorted(GRAMMARS))
@pytest.mark.parametrize(
    "hostile",
    [
        "(" * 15_000,
        "{" * 15_000,
        "<" * 15_000,
        "/*" * 7_000,
        '"' * 15_001,
        "a." * 7_000,
        "if " * 5_000,
        "\x7f\u20ac" * 5_000,
        "\ud800",
    ],
    ids=range(9),
)
def test_hostile_code_is_worked_through(language: str, hostile: str) -> None:
    assert len(hostile) < LONGEST
    assert check(language, hostile).name == "code"


def test_blanks_after_what_is_left_out_are_read_once() -> None:
    assert not check("c", "..." + " " * 19_000 + "x").passed
    assert not check("c", "f() { ..." + " " * 19_000 + "x }").passed


def test_it_is_there_with_the_extra_and_without_it_only_the_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    named = [point.name for point in check_points(added=())]
    assert "code" in named

    monkeypatch.setitem(sys.modules, "tree_sitter_rust", None)
    assert [point.name for point in check_points(added=())] == [name for name in named if name != "code"]
