"""Whether an answer is right, by its task's check."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path

from domain.proving.checked_task import CheckedTask, answer_in, code_in, normalised
from workers.proving.sandbox import Finished, SandboxBounds, run_confined

ALONE = ("-I", "-S", "-B")
"""Python's options for code that gets the standard library alone."""


class AnswerCheck:
    """Checks answers, everything that could take long or do harm in the sandbox."""

    def __init__(self, bounds: SandboxBounds) -> None:
        self._bounds = bounds

    def right(self, task: CheckedTask, texts: Iterable[str]) -> frozenset[str]:
        """Return those of the texts that are right. Raises StackError where the sandbox can't be had."""
        return frozenset(text for text in dict.fromkeys(texts) if self._is_right(task, text))

    def _is_right(self, task: CheckedTask, text: str) -> bool:
        if task.answer is not None:
            return answer_in(text) == normalised(task.answer)
        if task.matches is not None:
            given = {"pattern": task.matches, "answer": answer_in(text)}
            return self._python("run_pattern.py", given).code == 0
        if task.asserts is not None:
            success = secrets.token_hex(16)
            given = {"answer": code_in(text), "asserts": task.asserts, "success": success}
            finished = self._python("run_asserts.py", given)
            return finished.code == 0 and success.encode() in finished.output
        return self._command(task, text).code == 0

    def _python(self, script: str, given: dict[str, str]) -> Finished:
        path = Path(__file__).with_name(script)
        argv = (sys.executable, *ALONE, str(path))
        return run_confined(argv, files={}, stdin=json.dumps(given), bounds=self._bounds)

    def _command(self, task: CheckedTask, text: str) -> Finished:
        assert task.command is not None
        program, *arguments = task.command
        argv = [sys.executable if program == "python" else program, *arguments]
        files = {**task.files, "answer.txt": text, "answer.code": code_in(text)}
        return run_confined(argv, files=files, stdin=text, bounds=self._bounds)
