"""Does the shell code in a proposal parse? Bash reads it and runs nothing."""

from __future__ import annotations

import re
import shutil
import subprocess

from domain.checks.fenced_code import WholeBlocks

TIMEOUT_S = 2.0
"""Seconds for one block of at most twenty thousand characters; bash needs milliseconds."""
_STAND_IN = re.compile(r"<[A-Za-z][\w .:/-]{0,40}>")
_PROMPT = re.compile(r"^[ \t]*\$ ", re.MULTILINE)


class BashParses(WholeBlocks):
    """Caps a proposal whose shell code does not parse; without bash on the machine it says "not checked"."""

    name = "bash"
    languages = frozenset({"bash", "sh", "shell"})

    def __init__(self) -> None:
        self._bash = shutil.which("bash")

    def unable(self) -> str | None:
        """Say that there is no bash, if so."""
        return None if self._bash else "there is no bash on this machine"

    def parses(self, code: str) -> bool:
        """Have `bash -n` read it from standard input, with nothing of this process's environment.

        `<name>` stands for a value in documentation and would be a redirection; a leading `$ ` is a prompt.
        Time over or bash failing to start counts as parsed: only a syntax error speaks against the author.
        """
        assert self._bash is not None, "unable() is asked first"
        script = _PROMPT.sub("", _STAND_IN.sub("value", code))
        try:
            done = subprocess.run(
                [self._bash, "--noprofile", "--norc", "-n"],
                input=script.encode(errors="replace"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"LC_ALL": "C.UTF-8"},
                cwd="/",
                timeout=TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return True
        return done.returncode not in {1, 2}
