"""Claude Code, as its users start it for one question: it must use a tool on this machine and tell what that said."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..cell import Cell, Scenario, same
from ..stage import Stage

PATIENCE = 60


@contextmanager
def client(stage: Stage) -> Iterator[list[Scenario]]:
    """Each scenario starts the program."""
    yield [read_file, run_command]


def read_file(cell: Cell) -> None:
    """The tool Read."""
    file = secret(cell)
    ask(cell, "Read", {"file_path": str(file)})


def run_command(cell: Cell) -> None:
    """The tool Bash."""
    file = secret(cell)
    ask(cell, "Bash", {"command": f"cat {file}", "description": "Shows the file"})


def secret(cell: Cell) -> Path:
    """A file whose content nobody can know who has not read it."""
    file = cell.stage.home / f"{cell.nonce}.txt"
    file.write_text(f"the secret is {cell.nonce[::-1]}\n")
    return file


def ask(cell: Cell, tool: str, arguments: dict) -> None:
    prompt = f"<<tool {tool} {json.dumps(arguments)}>> What is the secret?"
    command = [os.environ["FAIRLEAD_CLIENTS_CLAUDE"], "-p", prompt, "--model", cell.model]
    done = subprocess.run(
        [*command, "--output-format", "json", "--allowedTools", tool],
        cwd=cell.stage.home,
        env={**cell.stage.environment(), **settings(cell)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"it ended with {done.returncode}: {done.stdout}{done.stderr}"
    result = json.loads(done.stdout)
    same((result["is_error"], result["subtype"]), (False, "success"), "result")
    assert cell.nonce[::-1] in result["result"], result["result"]


def settings(cell: Cell) -> dict[str, str]:
    """The gateway is its provider, and there is nothing else."""
    return {
        "ANTHROPIC_BASE_URL": cell.url,
        "ANTHROPIC_AUTH_TOKEN": cell.key,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
