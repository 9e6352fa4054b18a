"""Text that would command a terminal, hide on it, or pass for markup; what no terminal must receive of it."""

from __future__ import annotations

import re

SEQUENCES = (
    "\x1b]52;c;cHduZWQ=\x07",  # OSC 52 writes into the clipboard
    "\x1b]8;;http://evil.example/\x1b\\click\x1b]8;;\x1b\\",  # OSC 8 is a link
    "\x1b]0;title\x07",
    "\x1b[2J\x1b[H",  # CSI clears the screen
    "\x1b[38;5;199;7m",
    "\x1b[6n",
    "\x9b31m\x9d0;t\x9c",  # C1
    "\x1bP+q544e\x1b\\",  # DCS
    "\x08\x7f\x0b\x0c",
    "\u202egnp.exe\u202c\u2066\u2069\u200f",
    "\u200b\u2060\ufeff\xad\U000e0041",
)
HOSTILE = "".join(SEQUENCES) + "[bold red]markup[/bold red][link=http://evil.example]x[/link]:smiley:[/]"

OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[(?:1A|2K)|\r(?=\n|\x1b|$)|\r\n", re.MULTILINE)
"""What rich sends for styles and to draw in place."""
COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)


def commands_in(output: str) -> list[str]:
    """Return the hidden characters of an output that are not rich's own, and sequences that it never sends."""
    foreign = [sequence for sequence in ("\x1b[38;5;199;7m", "\x1b[2J", "\x1b[H", "\x1b[6n") if sequence in output]
    return foreign + COMMANDS.findall(OURS.sub("", output))
