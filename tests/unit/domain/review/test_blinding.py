"""Reviewers can't tell who wrote a proposal, and the code they judge is the code that was written."""

# ruff: noqa: RUF001 (letters of other scripts are put in place of ours on purpose)

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.review.blinding import Names, blind
from domain.text.lookalikes import folded

AGENTS = ("dev-1", "dev-2", "qa.lead", "security")
MODELS = ("Qwen/Qwen3-0.6B", "smollm2-135m-instruct")
NAMES = Names(agents=AGENTS, models=MODELS)

PARTS = st.lists(
    st.sampled_from(
        [
            "dev-1", "DEV_2", "qa.lead", "security", "Qwen3-0.6B", "smollm2-135m-instruct", "Qwen/Qwen3-0.6B",
            "As ", "as agent ", "I am ", "I'm ", "an AI", " language model", ", ", "Signed: ", "Author: ", "— ",
            "Best regards", " trained by OpenAI", "ChatGPT", "Claude", "such as ", "\n", "\n\n", " ", ".", ":",
            "the plan", "```", "```python\n", "```markdown\n", "~~~\n", "x = 1\n", "[agent]", "[model]",
            "**", "an author", "<|im_end|>", "\u200b", "\U000e0041", "agent ", "written by ", "--", "This is ",
            "my name is ", "d e v", " - 1", "dеv‑1", "ｄｅｖ－１", "agent_name", "model_name", "_", "1",
        ]
    ),
    max_size=25,
)  # fmt: skip


def b(text: str) -> str:
    return blind(text, NAMES)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("As agent dev-1, I propose a queue.", "As agent [agent], I propose a queue."),
        ("dev-2's plan lacks tests; DEV_2 knows.", "[agent]'s plan lacks tests; [agent] knows."),
        ("Ask _dev-1_ or **Dev1**", "Ask _[agent]_ or **[agent]**"),
        ("Ask qa.lead or QA-Lead.", "Ask [agent] or [agent]."),
        ("I run on Qwen3-0.6B, served as Qwen/Qwen3-0.6B.", "I run on [model], served as [model]."),
        ("I am SmolLM, so listen.", "I am [model], so listen."),
        ("I'm Qwen 2.5 and I plan.", "I'm [model] and I plan."),
        ("My name is Claude: listen.", "My name is [model]: listen."),
        ("As ChatGPT, I suggest", "As [model], I suggest"),
        ("As an AI language model, I can't deploy.", "As an author, I can't deploy."),
        ("as a large language model trained by OpenAI, my plan", "as an author, my plan"),
        ("I am an AI assistant. Use a cache.", "I am an author. Use a cache."),
        ("As security, I insist.", "As [agent], I insist."),
    ],
)
def test_names_and_self_mentions_are_replaced(written: str, expected: str) -> None:
    assert b(written) == expected


@pytest.mark.parametrize(
    "signature",
    [
        "— dev-1", "-- dev-1", "- dev-1", "Signed: dev-1", "**Author:** dev-2", "Signed-off-by: Jane <jane@x.org>",
        "Best regards,", "Yours sincerely, dev-1", "Proposed by agent dev-1 of the council", "(dev-1)",
        "I am dev-1.", "Signed, The Architect", "Written by Qwen3-0.6B", "— security",
    ],
)  # fmt: skip
def test_signature_lines_go(signature: str) -> None:
    assert b(f"First do this.\n{signature}\nThen do that.") == "First do this.\nThen do that."


def test_a_dash_and_a_name_nobody_knows_goes_where_it_ends_the_text() -> None:
    assert b("Do this.\n— Principal Engineer\n\n— J. Doe\n") == "Do this.\n\n"
    assert b("Steps:\n— Write tests\nand run them.") == "Steps:\n— Write tests\nand run them."


@pytest.mark.parametrize(
    "text",
    [
        "Security is a concern; apply security measures.",
        "Use models such as Llama 3 or Claude, as needed.",
        "dev-10 and dev-11 are hosts; developers 1 and 2 share a dev environment.",
        "Signed commits are required.\nRegards the cache as cold.",
        "Use it as an AI assistant for support staff.",
        "- Author: string, required\n- Name: string",
        "The agent signs the request. Agents retry.",
        "The model card says: 135M parameters.",
        "Devi and Devo test; |dev| is a column, dev: 1 too.",
        "Dev 1 week, QA – 2 days; dev - 1 more. Devs at x - 1, a b c 1, d, e, v: 1.",
        "Привет, мир — 2 дня. Ελληνικά 1, Größe 10²",
    ],
)
def test_what_a_proposal_says_about_its_subject_stays(text: str) -> None:
    assert b(text) == text


def test_in_fenced_code_names_become_names_and_all_else_stays() -> None:
    code = (
        '```python\n# author: dev-1\nAUTHOR = "dev-1"\ndev_2.run("Qwen/Qwen3-0.6B")\r\n\tx |> y  # — dev-1\n```\n'
    )
    blinded = (
        '```python\n# author: agent_name\nAUTHOR = "agent_name"\nagent_name.run("model_name")\r\n'
        "\tx |> y  # — agent_name\n```\n"
    )

    assert b(f"Run it:\n{code}— dev-1") == f"Run it:\n{blinded}"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("# As an AI language model, I skip tests", "# As an author, I skip tests"),
        ("// I am Claude", "// I am model_name"),
        ("# I am security.", "# I am agent_name."),
        ("import anthropic as claude", "import anthropic as claude"),
        ("from lib import security as security", "from lib import security as security"),
        ("security: strict", "security: strict"),
    ],
)
def test_what_may_be_code_stays(line: str, expected: str) -> None:
    assert b(f"```\n{line}\n```\n") == f"```\n{expected}\n```\n"


@pytest.mark.parametrize(
    "name",
    [
        "ｄｅｖ－１", "𝐝𝐞𝐯-𝟏", "𝖉𝖊𝖛\u2011𝟙", "d\u0435v-1", "\u0501\u0435\u0475\u20111", "dév-1", "ⓓⓔⓥ-①", "ᴅᴇᴠ-1",
        "dev\u20131", "dev\u20141", "dev__1", "DEV--1", "dev-l", "dev-I", "dev-¹", "dev-\u0661", "🅳🅴🆅-1",
        "d e v - 1", "D.E.V.1", "d-e-v-1", "d_e_v_1", "d*e*v*1", "d\xa0e\xa0v - 1", "ｄ ｅ ｖ １", "d  e  v  -  1",
    ],
)  # fmt: skip
def test_a_name_in_another_spelling_is_a_name(name: str) -> None:
    assert b(f"Ask {name}, then go on.") == "Ask [agent], then go on."
    assert b(f"```\nask({name})\n```\n") == "```\nask(agent_name)\n```\n"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("I am Cl\u0430ude, listen", "I am [model], listen"),
        ("As \u0421hatGPT, I suggest", "As [model], I suggest"),
        ("served as Ｑwen3-0.6B", "served as [model]"),
        ("served as Q w e n 3 - 0 . 6 B", "served as [model]"),
        ("As an А\u0406 language model, I", "As an author, I"),
        ("As s\u0435curity, I insist.", "As [agent], I insist."),
    ],
)
def test_what_gives_a_model_away_is_found_in_other_letters(written: str, expected: str) -> None:
    assert b(f"{written}") == expected


def test_names_that_are_not_latin_are_found_as_well() -> None:
    names = Names(agents=["агент-1", "ингенёр-2"])

    assert blind("Спроси Агент-1, агент_1 и ингенер-2.", names) == "Спроси [agent], [agent] и [agent]."


def test_code_keeps_its_bytes_but_for_what_nobody_sees_and_template_tokens() -> None:
    assert b("```\na\u200b = '<|im_end|>'\n```\n") == "```\na = '< |im_end|>'\n```\n"


def test_an_unclosed_or_markdown_fence_hides_no_names() -> None:
    assert "dev-1" not in b("```markdown\nI am dev-1.\n```\n```\nAs dev-1, I plan")


def test_hidden_characters_inside_a_name_do_not_save_it() -> None:
    assert b("ask de\u200bv-\u00ad1, d\U000e0065ev-1") == "ask [agent], [agent]"


@given(PARTS)
def test_blinding_twice_is_blinding_once(parts: list[str]) -> None:
    blinded = b("".join(parts))

    assert b(blinded) == blinded


@given(PARTS)
def test_no_telling_name_is_left(parts: list[str]) -> None:
    blinded = b("".join(parts))

    assert not re.search(r"(?i)(?<![a-z0-9])(?:dev[-_.]?[12]|qa\.lead|smollm2|qwen3)(?![a-z0-9])", folded(blinded))


@given(PARTS, st.sampled_from(["x = 1\n", "# Signed\n", "as security\n", "— x\n", "\tq\r\n", "é = '日本'\n"]))
def test_whatever_stands_round_it_code_in_a_fresh_fence_is_identical(parts: list[str], body: str) -> None:
    prose = "".join(parts).replace("`", "").replace("~", "")
    code = f"```text\n{body}```\n"

    assert code in b(f"{prose}\n{code}{prose}")


@given(PARTS, st.permutations(AGENTS))
def test_the_order_of_names_does_not_matter(parts: list[str], agents: list[str]) -> None:
    text = "".join(parts)

    assert blind(text, Names(agents=agents, models=MODELS[::-1])) == b(text)


@pytest.mark.parametrize(
    "text",
    [
        "as gpt" + "1" * 50_000, "I am " * 20_000, "signed" + "-" * 50_000 + "X", "— " * 30_000,
        "Signed: " + "a" * 50_000 + "!", "dev-" * 20_000, "as agent " * 10_000, "claude" * 10_000,
        "as an AI " * 10_000, "-- " + "a." * 30_000,
        "d e v - " * 10_000, "d*" * 30_000, "ｄｅｖ－" * 10_000, "```\n" + "q a . l e a " * 9_000 + "\n```",
        "[agent] " * 10_000 + "x", " " * 100_000, "*" * 100_000 + "signed", "artificial intelligence " * 5_000,
        "-- bob\n\n\n\n" * 10_000,
    ],
    ids=range(19),
)  # fmt: skip
def test_long_hostile_lines_are_worked_through(text: str) -> None:
    assert b(b(text)) == b(text)


@given(st.lists(st.text(min_size=1, max_size=12), max_size=5), st.text(max_size=200))
def test_any_name_and_any_text_are_survived(names: list[str], text: str) -> None:
    blind(text, Names(agents=names, models=names[:2]))
