# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the clients, each into an environment of its own under .cache/clients. Run as a program.

An environment is remade when what it shall hold changes; delete one to try a client's newest version.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "clients"
PYTHON_CLIENTS = {
    "msal": ("msal>=1.30", "requests>=2.31"),
    # msgraph-core imports Deprecated without asking for it.
    "msgraph-sdk": ("azure-identity>=1.17", "msgraph-sdk>=1.5", "Deprecated>=1.2"),
    "azure-cli": ("azure-cli>=2.60",),
}
NODE_CLIENTS = {"cli-microsoft365": ("@pnp/cli-microsoft365@>=10",)}
STAMP = "installed.json"


def program(client: str, name: str) -> Path:
    """The path of a client's program."""
    folder = "bin" if client in PYTHON_CLIENTS else "node_modules/.bin"
    return FOLDER / client / folder / name


def install(client: str, packages: tuple[str, ...]) -> None:
    """Into a folder of its own. Raises CalledProcessError."""
    folder = FOLDER / client
    stamp = folder / STAMP
    wanted = json.dumps({"packages": packages, "python": sys.version})
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print(f"Installing {client}", flush=True)
    if client in PYTHON_CLIENTS:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = (str(program(client, "python")), "-m", "pip", "install", "-qq", "--disable-pip-version-check")
        subprocess.run([*pip, *packages], check=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        npm = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder))
        subprocess.run([*npm, *packages], check=True)
    stamp.write_text(wanted, encoding="utf-8")


def version(client: str) -> str:
    """Of the package that the client is named after."""
    if client in PYTHON_CLIENTS:
        code = f"import importlib.metadata; print(importlib.metadata.version({client!r}))"
        return subprocess.check_output([program(client, "python"), "-c", code], text=True).strip()
    package = NODE_CLIENTS[client][0].rpartition("@")[0]
    description = FOLDER / client / "node_modules" / package / "package.json"
    return str(json.loads(description.read_text(encoding="utf-8"))["version"])


def main() -> int:
    if shutil.which("npm") is None:
        print("CLI for Microsoft 365 needs Node.js with npm, which is not on the path.", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    for client, packages in {**PYTHON_CLIENTS, **NODE_CLIENTS}.items():
        try:
            install(client, packages)
        except subprocess.CalledProcessError as error:
            print(f"{client} could not be installed (exit status {error.returncode}).", file=sys.stderr)
            return 1
        print(client, version(client))
    return 0


if __name__ == "__main__":
    sys.exit(main())
