"""Does the Python in a proposal parse? It is never run."""

from __future__ import annotations

import ast
import re

from domain.checks.fenced_code import WholeBlocks

_NOTEBOOK_COMMAND = re.compile(r"^([ \t]*)[!%].*$", re.MULTILINE)
_PROMPTED = re.compile(r"^[ \t]*(?:>>>|\.\.\.)(?: (.*))?$", re.MULTILINE)


class PythonParses(WholeBlocks):
    """Caps a proposal whose Python does not parse; sessions with prompts and notebook commands are understood."""

    name = "python"
    languages = frozenset({"python", "python3", "py"})

    def parses(self, code: str) -> bool:
        """Try the code as it is, then as an interactive session, then without notebook commands."""
        if _is_python(code):
            return True
        if re.match(r"\s*>>>", code):
            return _is_python("\n".join(_PROMPTED.findall(code)))
        return _is_python(_NOTEBOOK_COMMAND.sub(r"\1pass", code))


def _is_python(code: str) -> bool:
    # CPython bounds its own depth: hostile nesting ends in a RecursionError or MemoryError, not in a crash.
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        return False
    return True
