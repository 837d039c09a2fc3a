"""Sets up what clients meet: the provider, a `fairlead up` before it, and the tap before that."""

import os
import secrets
import subprocess
import tempfile
import threading
from pathlib import Path

from .provider.server import Provider
from .wire import Tap, Trap

# The model that clients ask for is named after the language of the one provider that serves it.
MODELS = {
    "openai-chat": ("chat", "openai", "gpt-5.1"),
    "openai-responses": ("responses", "openai", "gpt-5.1"),
    "anthropic": ("anthropic", "anthropic", "claude-sonnet-4-5"),
    "gemini": ("gemini", "gemini", "gemini-3-pro-preview"),
}

# How long a gateway may take to serve.
PATIENCE = 60

GATEWAY = """
apiVersion: fairlead.dev/v1alpha1
kind: ModelGateway
metadata: {name: main}
spec: {}
"""

DEPLOYMENT = """
---
apiVersion: v1
kind: Secret
metadata: {name: @NAME@}
stringData: {apiKey: key-of-@NAME@}
---
apiVersion: fairlead.dev/v1alpha1
kind: ProviderSecret
metadata: {name: @NAME@}
spec: {kubernetes: {secretRef: {name: @NAME@}}}
---
apiVersion: fairlead.dev/v1alpha1
kind: ModelDeployment
metadata: {name: @NAME@}
spec:
  provider: {type: @TYPE@, dialect: @NAME@, model: @MODEL@, baseURL: "@BASE@"}
  credentialsRef: {name: @NAME@}
"""


class Stage:
    """All of it, from `with` to its end."""

    def __enter__(self) -> "Stage":
        self.folder = tempfile.TemporaryDirectory(prefix="fairlead-clients-")
        self.home = Path(self.folder.name)
        self.kept = {name: os.environ[name] for name in ("PATH", "LANG", "TERM") if name in os.environ}
        self.key = f"sk-{secrets.token_hex(24)}"
        self.provider, self.trap = Provider(), Trap()
        self.complaints: list[str] = []
        try:
            host, port = self._start_gateway().rsplit(":", 1)
        except BaseException:
            self.__exit__()
            raise
        self.tap = Tap((host, int(port)))
        self.url = f"http://127.0.0.1:{self.tap.port}"
        return self

    def __exit__(self, *_: object) -> None:
        if process := getattr(self, "process", None):
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if tap := getattr(self, "tap", None):
            tap.close()
        self.provider.shutdown()
        self.provider.server_close()
        self.trap.close()
        self.folder.cleanup()

    def environment(self) -> dict[str, str]:
        """What programs get: nothing of ours but where to find other programs, and no way to the internet."""
        return {**self.kept, **self.trap.environment(), "HOME": str(self.home)}

    def _start_gateway(self) -> str:
        manifests = self.home / "manifests"
        manifests.mkdir()
        (manifests / "all.yaml").write_text(self._manifests())
        binary = os.environ["FAIRLEAD_BINARY"]
        ports = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [binary, "up", *ports, "--data-dir", str(self.home / "data"), str(manifests)],
            env={**self.environment(), "FAIRLEAD_MASTER_KEY": self.key},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read_complaints, daemon=True).start()
        watch = threading.Timer(PATIENCE, self.process.kill)
        watch.start()
        for line in self.process.stdout:
            if "serves on http://" in line:
                watch.cancel()
                address = line.split("serves on http://")[1].split("/")[0].strip()
                # The access log must not fill the pipe and stall the gateway.
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return address
        watch.cancel()
        raise RuntimeError(f"the gateway does not serve after {PATIENCE} s, or ended: {''.join(self.complaints)}")

    def _read_complaints(self) -> None:
        for line in self.process.stderr:
            self.complaints.append(line)

    def _manifests(self) -> str:
        text = GATEWAY
        for name, (path, kind, model) in MODELS.items():
            filled = DEPLOYMENT.replace("@NAME@", name).replace("@TYPE@", kind).replace("@MODEL@", model)
            text += filled.replace("@BASE@", self.provider.base(path))
        return text
