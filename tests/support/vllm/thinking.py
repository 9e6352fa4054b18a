"""The small weights as a thinking model: its tokens and its chat template are made like Qwen3's.

It was never taught to think: a thought that the template opens goes on to the bound, as one that is too long does.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.vllm.build import WEIGHTS

TOKENS = {"Ġviolin": "<think>", "Ġzebra": "</think>"}
"""Rare words, and what they are called here: after a token that it never saw the model is silent."""
OPENS = "{{ '<|im_start|>assistant\n' }}"
OPENS_A_THOUGHT = (
    "{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}"
    "{% else %}{{ '<think>\n' }}{% endif %}"
)
"""As Qwen3's template: without thoughts an empty one stands in the prompt."""


def thinking_weights(folder: Path) -> Path:
    """Make a folder that vLLM can load; the weights themselves are linked."""
    folder.mkdir()
    for file in WEIGHTS.iterdir():
        (folder / file.name).symlink_to(file)
    tokenizer = json.loads((WEIGHTS / "tokenizer.json").read_text(encoding="utf-8"))
    model = tokenizer["model"]
    model["merges"] = [pair for pair in model["merges"] if not TOKENS.keys() & _words(pair)]
    for old, new in TOKENS.items():
        model["vocab"][new] = model["vocab"].pop(old)
        # Special tokens would not be written out; Qwen3's are none.
        known = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
        tokenizer["added_tokens"].append({"id": model["vocab"][new], "content": new, **known})
    template = (WEIGHTS / "chat_template.jinja").read_text(encoding="utf-8")
    assert OPENS in template
    _replace(folder / "tokenizer.json", json.dumps(tokenizer))
    _replace(folder / "chat_template.jinja", template.replace(OPENS, OPENS_A_THOUGHT))
    return folder


def _words(pair: str | list[str]) -> set[str]:
    """Return the parts of a merge and what it makes."""
    left, right = pair.split(" ") if isinstance(pair, str) else pair
    return {left, right, left + right}


def _replace(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text, encoding="utf-8")
