"""The door to the command line, also as `python -m workers.cli`: opens it at once, then loads it."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command that was typed. Ctrl-C while Python still loads it ends this process without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from workers.cli.main import app

    signal.signal(signal.SIGINT, signal.default_int_handler)
    app(prog_name="conclave")


if __name__ == "__main__":
    main()
