"""Stands for the module `hid` (hidapi): the board is behind the Unix socket that THINGKIT_BOARD names.

With this folder first on PYTHONPATH, the programs of Microchip's Zero Touch kit find the board of `thingkit board serve` in the
place of one on USB.
"""
import os
import select
import socket

REPORT_LENGTH = 64


class device:  # pylint: disable=invalid-name
    """One board, as hidapi gives it: reports of 64 bytes, those that are written with a report id before them."""

    def __init__(self):
        self._socket = None
        self._received = b""

    def open(self, vendor_id=0, product_id=0, serial_number=None):  # pylint: disable=unused-argument
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(os.environ["THINGKIT_BOARD"])
        except (KeyError, OSError) as error:
            raise OSError("no board: is `thingkit board serve` running, and THINGKIT_BOARD its socket?") from error

    def close(self):
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def write(self, report):
        whole = bytes(report)
        if len(whole) != REPORT_LENGTH + 1:
            raise ValueError("a report has an id and 64 bytes")
        self._socket.sendall(whole)
        return len(whole)

    def read(self, max_length, timeout_ms=0):
        """A report as a list of numbers; an empty one when none has come in time. Without a time it waits for ever."""
        while len(self._received) < REPORT_LENGTH:
            ready, _, _ = select.select([self._socket], [], [], timeout_ms / 1000 if timeout_ms else None)
            if not ready:
                return []
            chunk = self._socket.recv(4096)
            if not chunk:
                raise OSError("the board has gone")
            self._received += chunk
        report, self._received = self._received[:REPORT_LENGTH], self._received[REPORT_LENGTH:]
        return list(report[:max_length])


def enumerate(vendor_id=0, product_id=0):  # pylint: disable=redefined-builtin,unused-argument
    """The one board that there is."""
    return [{"vendor_id": 0x04D8, "product_id": 0x0F32, "product_string": "Zero Touch board of thingkit"}]
