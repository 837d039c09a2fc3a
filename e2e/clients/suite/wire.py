"""Two listeners that clients meet: the tap passes everything on to the gateway and remembers the bytes; the trap poses
as the way to the internet and lets nobody through.
"""

import socket
import threading
from dataclasses import dataclass


def _listen() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=64)


@dataclass
class Piece:
    """Bytes in the order they came. To the gateway, or from it."""

    connection: int
    is_request: bool
    data: bytes


class Tap:
    """Stands before `target` on a port of its own."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target, self.pieces = target, []
        self.listener = _listen()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def text(self, since: int) -> str:
        """All that passed after the first `since` pieces, requests and answers apart."""
        shown, before = [], None
        for piece in self.pieces[since:]:
            side = (piece.connection, piece.is_request)
            if side != before:
                arrow = ">>> client" if piece.is_request else "<<< gateway"
                shown.append(f"\n{arrow}, connection {piece.connection}\n")
            shown.append(piece.data.decode("utf-8", "replace"))
            before = side
        return "".join(shown)

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            number += 1
            gateway = socket.create_connection(self.target)
            for way in ((client, gateway, number, True), (gateway, client, number, False)):
                threading.Thread(target=self._pump, args=way, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, number: int, is_request: bool) -> None:
        try:
            while data := source.recv(1 << 16):
                # Noted before it is passed on: what the receiver does next may be to look here.
                self.pieces.append(Piece(number, is_request, data))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            sink.close()


class Trap:
    """A proxy that nobody should use."""

    def __init__(self) -> None:
        self.caught: list[str] = []
        self.listener = _listen()
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def environment(self) -> dict[str, str]:
        """Sends whatever is not for this machine here."""
        proxies = {name: self.url for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")}
        lower = {name.lower(): url for name, url in proxies.items()}
        return {**proxies, **lower, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                stranger, _ = self.listener.accept()
            except OSError:
                return
            with stranger:
                stranger.settimeout(5)
                try:
                    line = stranger.recv(1 << 10).partition(b"\r\n")[0]
                except OSError:
                    line = b""
                self.caught.append(line.decode("utf-8", "replace"))
