"""What a client says, octet by octet: a way through to a server that keeps a copy."""

import re
import socket
import threading


def content_of(said):
    """The content of a dialogue's last DATA, or None."""
    parts = re.split(rb"(?i)\r\nDATA\r\n", said)
    return parts[-1].partition(b"\r\n.\r\n")[0] if len(parts) > 1 else None


def mechanism_of(said):
    """The mechanism of a dialogue's last AUTH."""
    return re.findall(rb"(?mi)^AUTH ([A-Z0-9-]+)", said)[-1].decode().upper()


class WireRecorder:
    """Listens on `port` of 127.0.0.1 and hands on to `target`, one connection after the other or several at a time."""

    def __init__(self, port, target):
        self.target = target
        self.said = bytearray()
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def take(self):
        """All that clients have said since the last call."""
        said, self.said = bytes(self.said), bytearray()
        return said

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            back = threading.Thread(target=self._copy, args=(server, client, False), daemon=True)
            back.start()
            self._copy(client, server, True)
            back.join()

    def _copy(self, source, destination, keep):
        try:
            while octets := source.recv(65_536):
                if keep:
                    self.said += octets
                destination.sendall(octets)
            destination.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other side has gone; so has the need to copy
