# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command where Microsoft's host names lead to this machine, and no network is there besides loopback.

    python private_names.py COMMAND...

Linux only: namespaces of the user, the file system and the network, so that nothing of the machine itself changes,
and no root is needed.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HOST_NAMES = (
    "graph.microsoft.com",
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoft.com",
    "sts.windows.net",
    "management.azure.com",
)
LOOPBACK = "127.0.0.1"
INSIDE = "--inside"
NAMESPACES = ("unshare", "--user", "--map-root-user", "--mount", "--net")
SET_INTERFACE_FLAGS, UP_AND_RUNNING = 0x8914, 0x41
"""SIOCSIFFLAGS; IFF_UP and IFF_RUNNING."""


def outside(command: list[str]) -> int:
    """Make the namespaces, and come back in them."""
    try:
        subprocess.run([*NAMESPACES, "true"], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", "") or str(error)).strip()
        print(
            f"The clients need host names of their own, and this system makes no namespace for them: {reason}",
            file=sys.stderr,
        )
        return 1
    with tempfile.TemporaryDirectory() as folder:
        hosts = Path(folder) / "hosts"
        hosts.write_text(f"{LOOPBACK} {' '.join(('localhost', *HOST_NAMES))}\n", encoding="utf-8")
        return subprocess.run([*NAMESPACES, sys.executable, __file__, INSIDE, hosts, *command], check=False).returncode


def inside(hosts: str, command: list[str]) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_INTERFACE_FLAGS, struct.pack("16sh", b"lo", UP_AND_RUNNING))
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(inside(sys.argv[2], sys.argv[3:]) if sys.argv[1:2] == [INSIDE] else outside(sys.argv[1:]))
