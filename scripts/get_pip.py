"""Stands in for the get-pip.py that ansible-test downloads, where only package registries can be reached.

ansible-test runs it in a fresh environment without pip, with the arguments of get-pip.py:
options, the wanted packages (`pip==X`, perhaps `setuptools==Y` and `wheel==Z`), `--no-setuptools`, `--no-wheel`.
Python's own ensurepip gives a first pip, and that one fetches the wanted packages from the package index.
"""

from __future__ import annotations

import subprocess
import sys

GET_PIP_ONLY = ("--no-setuptools", "--no-wheel")

if __name__ == "__main__":
    python = sys.executable
    subprocess.run([python, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)
    wanted = [argument for argument in sys.argv[1:] if argument not in GET_PIP_ONLY]
    sys.exit(subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=False).returncode)
