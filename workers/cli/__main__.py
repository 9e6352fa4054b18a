"""`python -m workers.cli`: the command line where no script is installed."""

from __future__ import annotations

from workers.cli.main import app

if __name__ == "__main__":
    app(prog_name="conclave")
