"""README's commands as they stand there, and a folder in which somebody types them."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.support.programs import output_of
from workers.processes.readiness import wait_until
from workers.stack.folder import StackRecord, StateFolder

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
READY_WITHIN = 240.0
ENDED_WITHIN = 600.0


def blocks() -> list[list[str]]:
    """Return the commands of each of README's blocks for a shell, without their comments."""
    found = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    return [[line.partition(" #")[0].strip() for line in block.splitlines()] for block in found]


def block_with(text: str) -> list[str]:
    """Return the one block of README that has a text in one of its commands."""
    (block,) = [block for block in blocks() if any(text in command for command in block)]
    return block


def program() -> str:
    """Return README's sample in Python."""
    (found,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    return str(found)


class Here:
    """A folder in which commands run as a shell finds them there, `conclave` by the words it stands for."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, python: str, conclave: Sequence[str]
    ) -> None:
        self.folder = folder
        self.state = StateFolder(folder / ".conclave")
        self.environment = dict(environment)
        self._python = python
        self._conclave = tuple(conclave)

    @property
    def output(self) -> Path:
        """What the started command has printed; a pipe without a reader would block it when it is full."""
        return self.folder / "output.txt"

    @contextmanager
    def start(self, command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start a `conclave` command that goes on running, and wait for its end; a block that fails ends it."""
        with (
            self.output.open("ab") as output,
            subprocess.Popen(self.argv(command), cwd=self.folder, env=self.environment, stdout=output) as process,
        ):
            try:
                yield process
            except BaseException:
                process.terminate()
                raise

    def start_on(self, engine_url: str, command: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Start a `conclave` command with an engine's address in place of the one that it names."""
        return self.start(re.sub(r"(?<=--engine )\S+", engine_url, command))

    def run(self, command: str) -> str:
        """Run a `conclave` command, which must succeed, and return what it printed."""
        return self._finished(self.argv(command))

    def run_program(self, nats_url: str) -> list[str]:
        """Run README's sample and return the lines that it printed."""
        return self._finished((self._python, "-c", program()), NATS_URL=nats_url).splitlines()

    def carry_out(self, commands: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """Run commands in order, ID standing for what `approve` printed; return ids, and output by command."""
        ids: list[str] = []
        outputs: dict[str, str] = {}
        for command in commands:
            outputs[command] = self.run(re.sub(r"\bID\b", ids[0], command) if ids else command)
            if command.startswith("conclave approve"):
                ids += re.findall(r"^(d-\w+)", outputs[command], flags=re.MULTILINE)
        return ids, outputs

    def carry_out_with_sample(self, commands: Sequence[str]) -> None:
        """Run the commands of the session that ends with `down`, then the sample: all must end with decisions."""
        ids, outputs = self.carry_out(commands)
        (approved,) = (output for command, output in outputs.items() if command.startswith("conclave approve"))
        assert "decided after" in approved
        assert "Winner: " in approved
        assert "Winner: " in outputs["conclave deliberation show ID"]
        scores = [
            float(line.split()[0])
            for line in self.run_program(self.run("conclave config --reveal CONCLAVE_NATS_URL").strip())
        ]
        assert len(scores) >= 2
        assert scores == sorted(scores, reverse=True)
        listed = json.loads(self.run("conclave deliberation list --json"))
        assert set(ids) < {row["deliberation_id"] for row in listed}

    def ready(self) -> StackRecord:
        """Wait until every part of the stack is ready, and its start has been said."""
        said = self.output
        assert wait_until(lambda: "Conclave is ready." in said.read_text(), within=READY_WITHIN), said.read_text()
        record = self.state.record()
        assert record is not None
        return record

    def argv(self, command: str) -> tuple[str, ...]:
        """Return the words of a `conclave` command, as they are started here."""
        name, *arguments = shlex.split(command)
        assert name == "conclave"
        return (*self._conclave, *arguments)

    def _finished(self, argv: Sequence[str], **variables: str) -> str:
        environment = self.environment | variables
        return output_of(argv, folder=self.folder, environment=environment, within=ENDED_WITHIN)
