"""Which of vLLM's reasoning parsers tells a model family's thoughts from its answers."""

from __future__ import annotations

import re

NONE = "none"

FAMILIES: tuple[tuple[str, str], ...] = (
    # Instruct variants of Qwen3 never think; with a parser their whole answers would be taken for thoughts.
    (r"qwen3.*(instruct|coder|embedding|reranker)", ""),
    (r"qwen3|qwq", "qwen3"),
    (r"deepseek.*v3\.1", "deepseek_v3"),
    (r"deepseek.*r1|r1-distill", "deepseek_r1"),
    (r"gpt-oss", "openai_gptoss"),
    (r"magistral", "mistral"),
    (r"glm-4\.[5-9]", "glm45"),
    (r"granite-3\.[2-9]", "granite"),
    (r"hunyuan-a13b", "hunyuan_a13b"),
    (r"ernie-4\.5.*thinking", "ernie45"),
    (r"minimax-m2", "minimax_m2"),
    (r"seed-oss", "seed_oss"),
    (r"olmo-?3.*think", "olmo3"),
    (r"kimi-k2.*thinking", "kimi_k2"),
)
"""Pattern of a model's name in small letters → the parser's name in vLLM, the first that fits; empty for none."""


def reasoning_parser(model: str, chosen: str | None) -> str:
    """Return the parser to start vLLM with; empty for none. `chosen`: the operator's word, None: the table's."""
    if chosen is not None:
        return "" if chosen == NONE else chosen
    name = model.lower()
    return next((parser for family, parser in FAMILIES if re.search(family, name)), "")
