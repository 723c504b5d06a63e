"""Break the rules and the engine in thousands of small ways, and see that a unit test notices each.

`python scripts/mutation.py [MODULE ...]`, for example `python scripts/mutation.py _policy/coverage.py`

mutmut changes the functions of `plugins/module_utils/_policy` and `_engine`, one small thing at a time, in a copy under
`.cache/mutation`; their unit tests judge. What was judged is remembered there while the function is the same, but
survivors are judged again. `rm -r .cache/mutation` forgets it.

A mutant that no test notices has to be explained in `tests/unit/surviving_mutants.yml`, with the very lines that it
changes. One that is not there fails this script, and so does an explanation without a survivor. Mutants that change
nothing but the text of a sentence (a string with a space in it) are counted, but not judged.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parent.parent
WORK = CHECKOUT / ".cache/mutation"
COLLECTION = Path("ansible_collections/zerotrust/m365")
UTILITIES = COLLECTION / "plugins/module_utils"
EXPLAINED = CHECKOUT / "tests/unit/surviving_mutants.yml"
JUDGES = ("tests/unit/_policy", "tests/unit/_engine")
# What the judges read besides the plugins.
NEEDED = ("plugins", "roles", "tests/conftest.py", "tests/unit")
SETTINGS = f"""\
[tool.mutmut]
source_paths = ["{COLLECTION}/plugins"]
only_mutate = ["{UTILITIES}/_policy/*", "{UTILITIES}/_engine/*"]
also_copy = ["conftest.py", "{COLLECTION}/roles", "{COLLECTION}/tests"]
pytest_add_cli_args = ["-m", "not deep", "--hypothesis-profile=few"]
pytest_add_cli_args_test_selection = [{", ".join(f'"{COLLECTION}/{path}"' for path in JUDGES)}]
timeout_constant = 2.0
timeout_multiplier = 5.0
use_git_change_detection = false

[tool.pytest.ini_options]
addopts = [
    "--import-mode=importlib", "-p", "no:schemathesis", "-p", "no:xdist", "-p", "no:cacheprovider",
    "-p", "no:unraisableexception", "-p", "no:threadexception",
]
filterwarnings = ["error", "ignore::pytest.PytestUnknownMarkWarning"]
"""

# Tests of drawn examples are the slow ones: most mutants are gone before them.
ORDER = """\
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: getattr(item.obj, "is_hypothesis_test", False))
"""

# Exit codes of pytest as mutmut keeps them: a failed test, a crash of pytest, or a mutant that sent itself a signal
# instead of none; a mutant that never came to an end.
KILLED = {1, 3, -1}
TIMED_OUT = {36, 24, -24, 152, 255}
# No test failed, or none calls the function.
SURVIVED = {0, 5, 33}
WORDS = re.compile(r'"[^"\\]*"')


@dataclass(frozen=True, order=True)
class Survivor:
    """A mutant that no test noticed: its module, its function, and the lines as a diff has them."""

    module: str
    function: str
    lines: str

    def changes_a_sentence_only(self) -> bool:
        """Whether it differs from the original only inside strings that have a space in them."""
        removed, added = ([line[1:] for line in self.lines.splitlines() if line[0] == sign] for sign in "-+")
        original, mutant = "\n".join(removed), "\n".join(added)
        if WORDS.sub('""', original) != WORDS.sub('""', mutant):
            return False
        pairs = zip(WORDS.findall(original), WORDS.findall(mutant), strict=True)
        return all(" " in before for before, after in pairs if before != after)


@dataclass
class Judged:
    """How many mutants of a module there are, and what became of them."""

    mutants: int = 0
    killed: int = 0
    timed_out: int = 0
    not_judged: int = 0
    sentences: int = 0
    explained: int = 0
    unexplained: int = 0


def main(modules: list[str]) -> int:
    """Return 0 when every survivor of the modules, or of all, is explained and every explanation has a survivor."""
    copy_into_workspace()
    os.chdir(WORK)  # mutmut works where it is imported
    _judge(modules)
    return report(modules)


def copy_into_workspace() -> None:
    """Bring the copy up to date. What has not changed keeps its time, by which mutmut knows it."""
    target = WORK / COLLECTION
    wanted = set()
    for name in NEEDED:
        files = [CHECKOUT / name] if (CHECKOUT / name).is_file() else sorted((CHECKOUT / name).rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                wanted.add(target / file.relative_to(CHECKOUT))
                _update(target / file.relative_to(CHECKOUT), file.read_bytes())
    for file in target.rglob("*"):
        if file.is_file() and file not in wanted:
            file.unlink()
            (WORK / "mutants" / file.relative_to(WORK)).unlink(missing_ok=True)
    _update(WORK / "pyproject.toml", SETTINGS.encode())
    _update(WORK / "conftest.py", ORDER.encode())


def _update(file: Path, content: bytes) -> None:
    if file.exists() and file.read_bytes() == content:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    if "tests" in file.parts:  # which test calls which function is to be found out again
        (WORK / "mutants/mutmut-stats.json").unlink(missing_ok=True)


def _judge(modules: list[str]) -> None:
    """Judge the mutants of the modules, or of all, that were not judged yet, and the survivors of before."""
    make_mutants()
    names = [
        name
        for module, name, code in results(modules)
        if (code is None or code in SURVIVED) and not survivor_of(module, name).changes_a_sentence_only()
    ]
    if not names:
        return
    command = ["nice", "-n", "10", sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    # Its progress is for terminals; only what it says at its end is of use here.
    with (WORK / "mutmut.log").open("w", encoding="utf-8") as log:
        failed = subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
    if failed:
        text = (WORK / "mutmut.log").read_text(encoding="utf-8").replace("\r", "\n")
        raise SystemExit("\n".join(text.splitlines()[-60:]))


def make_mutants() -> None:
    """Have mutmut write all mutants, and judge none yet."""
    from mutmut.__main__ import create_mutants
    from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir

    with contextlib.redirect_stdout(io.StringIO()):
        copy_src_dir()
        copy_also_copy_files()
        create_mutants(1)


def results(modules: Iterable[str]) -> Iterator[tuple[str, str, int | None]]:
    """Module, name of the mutant and exit code (None: not judged) of all mutants of the modules, or of all modules."""
    wanted = {*modules}
    folder = WORK / "mutants" / UTILITIES
    for file in sorted(folder.rglob("*.meta")):
        module = str(file.relative_to(folder)).removesuffix(".meta")
        if not wanted or module in wanted:
            for name, code in json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"].items():
                yield module, name, code


def report(modules: list[str]) -> int:
    """Print a table and all that is wrong; 1 when something is."""
    explained = Counter(read_explained(modules))
    found: dict[str, Judged] = {}
    complaints = []
    for module, name, code in results(modules):
        judged = found.setdefault(module, Judged())
        judged.mutants += 1
        survivor = survivor_of(module, name)
        if survivor.changes_a_sentence_only():
            judged.sentences += 1
        elif code in KILLED:
            judged.killed += 1
        elif code in TIMED_OUT:
            judged.timed_out += 1
        elif code not in SURVIVED:
            judged.not_judged += 1
        elif explained[survivor]:
            explained[survivor] -= 1
            judged.explained += 1
        else:
            judged.unexplained += 1
            complaints.append(f"{module}: {survivor.function} ({name})\n{survivor.lines}")
    complaints += [
        f"{one.module}: {one.function}: explained, but killed or gone\n{one.lines}" for one in (+explained).elements()
    ]
    for complaint in complaints:
        print(f"{complaint}\n")
    print_table(found)
    unfinished = sum(judged.not_judged for judged in found.values())
    return int(bool(complaints or unfinished))


def print_table(found: dict[str, Judged]) -> None:
    """What became of the mutants, module by module."""
    columns = ("mutants", "sentences", "killed", "timed_out", "explained", "unexplained", "not_judged")
    total = {name: sum(getattr(judged, name) for judged in found.values()) for name in columns}
    print(f"{'':40}" + "".join(f"{name.replace('_', ' '):>12}" for name in columns))
    for module, judged in sorted(found.items()):
        print(f"{module:40}" + "".join(f"{getattr(judged, name):>12}" for name in columns))
    print(f"{'all':40}" + "".join(f"{total[name]:>12}" for name in columns))


def survivor_of(module: str, name: str) -> Survivor:
    """What a mutant changes."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    diff = get_diff_for_mutant(name, path=UTILITIES / module).splitlines()
    lines = [f"{line[0]} {line[1:].strip()}" for line in diff[2:] if line[0] in "-+"]
    function = name.rpartition(".")[2].partition("__mutmut_")[0]
    return Survivor(module, function.removeprefix("x_").removeprefix("xǁ").replace("ǁ", "."), "\n".join(lines))


def read_explained(modules: list[str]) -> Iterator[Survivor]:
    """The explained survivors of the modules, or of all. Raises SystemExit for one without a reason."""
    if not EXPLAINED.exists():
        return
    for module, entries in (yaml.safe_load(EXPLAINED.read_text(encoding="utf-8")) or {}).items():
        for entry in entries if not modules or module in modules else ():
            if not entry.get("reason"):
                raise SystemExit(f"{EXPLAINED.name}: {module}: {entry} has no reason")
            for mutant in entry["mutants"]:
                yield Survivor(module, entry["function"], mutant.strip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
