"""Does the shell code in a proposal parse? Bash reads it and runs nothing."""

from __future__ import annotations

import re
import shutil
import subprocess

from domain.checks.check import NotJudged
from domain.checks.fenced_code import WholeBlocks

_STAND_IN = re.compile(r"<[A-Za-z][\w .:/-]{0,40}>")
_PROMPT = re.compile(r"^[ \t]*\$ ", re.MULTILINE)


class BashParses(WholeBlocks):
    """Caps a proposal whose shell code does not parse; without bash on the machine it has not judged."""

    name = "bash"
    languages = frozenset({"bash", "sh", "shell"})

    def __init__(self) -> None:
        self._bash = shutil.which("bash")

    def parses(self, code: str) -> bool:
        """Have `bash -n` read it from standard input, with nothing of this process's environment.

        `<name>` stands for a value in documentation and would be a redirection; a leading `$ ` is a prompt.
        Raises NotJudged where bash can't be had or does not come to its end: only a syntax error speaks against
        the author.
        """
        if self._bash is None:
            raise NotJudged("there is no bash on this machine")
        script = _PROMPT.sub("", _STAND_IN.sub("value", code))
        try:
            done = subprocess.run(
                [self._bash, "--noprofile", "--norc", "-n"],
                input=script.encode(errors="replace"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"LC_ALL": "C.UTF-8"},
                cwd="/",
                check=False,
            )
        except OSError as error:
            raise NotJudged("bash could not be started") from error
        if done.returncode < 0:
            raise NotJudged("bash did not come to its end")
        return done.returncode not in {1, 2}
