"""Run `ansible-test sanity` on a copy of the collection, and believe it only when it really tested something.

ansible-test keeps its environments under HOME and passes on hardly a variable. It gets a HOME of its own in `.cache`,
with a get-pip that needs nothing but a package index, and with the user's settings for pip.
"""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

from collection_copy import CHECKOUT, collection_copy

HOME = CHECKOUT / ".cache" / "ansible-test"
# The pip that ansible-test asks for: ansible-core 2.16 and 2.17, 2.18 and 2.19, 2.20 and 2.21.
GET_PIP_VERSIONS = ("23_1_2", "24_2", "25_2")
# Tests that have something to say about every state of this collection.
MUST_RUN = {"action-plugin-docs", "ansible-doc", "compile", "import", "pep8", "pylint", "validate-modules", "yamllint"}


def prepare_home() -> None:
    """Write the files that ansible-test and its pip look for under HOME."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in GET_PIP_VERSIONS:
        shutil.copyfile(CHECKOUT / "scripts" / "get_pip.py", cache / f"get_pip_{version}.py")

    settings = configparser.RawConfigParser()
    user = Path.home()
    configuration = Path(os.environ.get("XDG_CONFIG_HOME") or user / ".config")
    settings.read([user / ".pip" / "pip.conf", configuration / "pip" / "pip.conf"], encoding="utf-8")
    if named := os.environ.get("PIP_CONFIG_FILE"):
        settings.read(named, encoding="utf-8")
    if not settings.has_section("global"):
        settings.add_section("global")
    for name, value in os.environ.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            settings.set("global", name[len("PIP_") :].lower().replace("_", "-"), value)
    pip = HOME / ".config" / "pip"
    pip.mkdir(parents=True, exist_ok=True)
    settings.set("global", "quiet", "2")
    # An index address may hold a password: for the user's eyes only.
    file = pip / "pip.conf"
    file.touch(mode=0o600)
    with file.open("w", encoding="utf-8") as stream:
        settings.write(stream)


def real_search_path() -> str:
    """PATH without folders of shims: ansible-test takes a shim of a Python that is not there for a Python."""
    return os.pathsep.join(
        folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(folder).name != "shims"
    )


def main() -> int:
    """Run the sanity tests and return 0 only when all of them ran and passed."""
    prepare_home()
    environment = {**os.environ, "HOME": str(HOME), "PATH": real_search_path()}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    with collection_copy() as copy:
        if ignored := sorted(copy.glob("tests/sanity/ignore*")):
            print(f"There is an ignore file: {ignored[0].relative_to(copy)}", file=sys.stderr)
            return 1
        command = ["ansible-test", "sanity", "--local", "--python", python, "--color", "no"]
        output = []
        with subprocess.Popen(
            command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                output.append(line)
    if process.returncode:
        return process.returncode
    if any("All targets skipped" in line for line in output):
        print("ansible-test tested nothing", file=sys.stderr)
        return 1
    ran = {line.split('"')[1] for line in output if line.startswith('Running sanity test "')}
    if missing := sorted(MUST_RUN - ran):
        print(f"ansible-test left out: {', '.join(missing)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
