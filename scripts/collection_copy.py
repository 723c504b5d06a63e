"""Run a command in a copy of the collection: `python scripts/collection_copy.py COMMAND [ARGUMENT ...]`.

Ansible's tools want the path `ansible_collections/NAMESPACE/NAME`, and some resolve links. So they get a copy of what
git knows or would add, at such a path, outside the checkout and in a repository of its own: a copy inside a folder that
git ignores makes `ansible-test` skip everything and end well.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it printed. Raises CalledProcessError."""
    # safe.directory: the checkout may belong to another user than the one who tests it, as in containers.
    command = ["git", "-c", f"safe.directory={folder}", *arguments]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextlib.contextmanager
def collection_copy() -> Iterator[Path]:
    """Give the path `.../ansible_collections/zerotrust/m365` of a copy, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="zerotrust-m365-") as root:
        copy = Path(root).resolve() / "ansible_collections" / "zerotrust" / "m365"
        copy.mkdir(parents=True)
        for name in git(CHECKOUT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
            if not name or not os.path.lexists(CHECKOUT / name):  # deleted, but not yet in the index
                continue
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, copy / name, follow_symlinks=False)
        git(copy, "init", "--quiet", "--template=")
        git(copy, "add", "--all", "--force")
        yield copy


def main(command: list[str]) -> int:
    """Run the command in a copy and return its exit code."""
    with collection_copy() as copy:
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(copy.parents[2])}
        return subprocess.run(command, cwd=copy, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
