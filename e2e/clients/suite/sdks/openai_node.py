"""OpenAI's SDK for Node. The scenarios are in `openai_node.mjs`; one process runs them all, told by lines of JSON."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..cell import Cell, Scenario
from ..provider.script import BROKEN, REFUSED
from ..provider.vectors import vector
from ..stage import Stage
from . import matter

SCRIPT = Path(__file__).with_suffix(".mjs")
# More than any scenario takes.
PATIENCE = 60


@contextmanager
def client(stage: Stage) -> Iterator[list[Scenario]]:
    modules = os.environ["FAIRLEAD_CLIENTS_NODE"]
    node = subprocess.Popen(
        [os.environ["FAIRLEAD_CLIENTS_NODE_BINARY"], str(SCRIPT)],
        env={**stage.environment(), "FAIRLEAD_CLIENTS_NODE": modules},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield [scenario(node, name) for name in answer(node)]
    finally:
        node.stdin.close()
        node.terminate()
        node.wait()
        node.stdout.close()


def answer(node: subprocess.Popen) -> object:
    """The next line. A process that says nothing is ended."""
    watch = threading.Timer(PATIENCE, node.kill)
    watch.start()
    line = node.stdout.readline()
    watch.cancel()
    assert line, f"node ended, or said nothing for {PATIENCE} s"
    return json.loads(line)


def scenario(node: subprocess.Popen, name: str) -> Scenario:
    def run(cell: Cell) -> None:
        node.stdin.write(json.dumps({"scenario": name, **matters(cell)}) + "\n")
        node.stdin.flush()
        problem = answer(node)
        assert problem is None, problem

    run.__name__ = name
    return run


def matters(cell: Cell) -> dict:
    """What the scenarios need to know."""
    return {
        "url": cell.url,
        "key": cell.key,
        "model": cell.model,
        "nonce": cell.nonce,
        "hello": matter.HELLO,
        "said": matter.hello(cell.model),
        "weather": matter.WEATHER,
        "tool": {"name": matter.TOOL, "description": matter.TOOL_HELP, "parameters": matter.TOOL_SCHEMA},
        "forecast": matter.FORECAST,
        "schema": matter.Forecast.model_json_schema(),
        "image": f"data:image/png;base64,{matter.PNG_BASE64}",
        "seen": matter.SEEN,
        "texts": matter.TEXTS,
        "vectors": [vector(text) for text in matter.TEXTS],
        "refused": REFUSED,
        "broken": BROKEN,
    }
