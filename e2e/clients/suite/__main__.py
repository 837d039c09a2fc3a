"""Runs every client before every provider. Words on the command line choose the cells whose name has them all."""

import importlib
import os
import signal
import sys
import time

from .cell import check
from .stage import MODELS, Stage

CLIENTS = (
    "openai_chat", "openai_responses", "openai_stored", "anthropic_messages", "google_genai", "openai_node",
    "claude_code",
)  # fmt: skip


def main(wanted: list[str]) -> int:
    """Gives the exit code."""
    began, passed, failed = time.monotonic(), 0, []
    with Stage() as stage:
        # The SDKs that run in this process meet the same walls as programs, and none of the user's own settings.
        ours = {name: value for name, value in os.environ.items() if name.startswith("FAIRLEAD_")}
        os.environ.clear()
        os.environ.update({**stage.environment(), **ours})
        for client in CLIENTS:
            module = importlib.import_module(f".sdks.{client}", __package__)
            before = passed
            with module.client(stage) as scenarios:
                for model in MODELS:
                    for scenario in scenarios:
                        name = f"{client} {model} {scenario.__name__}"
                        if not all(word in name for word in wanted):
                            continue
                        problem = check(stage, model, scenario)
                        passed += problem is None
                        if problem:
                            failed.append(name)
                            print(f"FAILED {name}\n{problem}\n", flush=True)
            print(f"clients: {client}: {passed - before} checks passed", flush=True)
        for stranger in stage.trap.caught:
            failed.append("the way to the internet")
            print(f"FAILED: something asked for the internet: {stranger}")
        if stage.complaints:
            print("the gateway complained:", *stage.complaints, sep="\n")
    if not passed and not failed:
        print(f"no check has all of {wanted} in its name")
        return 1
    seconds = time.monotonic() - began
    print(f"clients: {passed} passed, {len(failed)} failed, {seconds:.0f} s", *failed, sep="\n  ")
    return 1 if failed else 0


# A run that is ended takes down what it started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
sys.exit(main(sys.argv[1:]))
