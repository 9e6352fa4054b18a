"""`conclave mcp` without its extra says what to install."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = "import sys; sys.modules['mcp'] = None; from workers.cli.__main__ import main; sys.exit(main())"


def test_a_missing_sdk_is_named_with_what_installs_it() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT, "mcp"], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "conclave: MCP's SDK is missing: pip install 'conclave-council[mcp]'\n"
