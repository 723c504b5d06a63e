# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading plans of faults: every mistake is one clear sentence, and nothing ends in a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from m365_simulator.cli import main
from m365_simulator.errors import SimulatorError
from m365_simulator.faults.plan import KINDS, VERBS, Plan, load_plan, parse_plan, read_fault, read_plan


def test_an_empty_plan() -> None:
    for text in ("", "{}", "# nothing", "faults:", "faults: []"):
        assert parse_plan(text, "the plan") == Plan()


def test_the_example_of_the_readme() -> None:
    readme = Path(__file__).parents[3] / "simulator" / "README.md"
    example = readme.read_text(encoding="utf-8").partition("```yaml\nseed")[2].partition("```")[0]
    plan = parse_plan("seed" + example, "the example")
    assert (plan.throttling, len(plan.limits), len(plan.faults)) == (True, 4, 6)


def test_a_full_plan() -> None:
    plan = parse_plan(
        """
        seed: 7
        time_scale: 60
        throttling: true
        limits: {directory: 100, writes: 20, reports: 2, conditional_access: 1}
        faults:
          - {name: busy, path: /users, method: [get, POST], status: 429, retry_after: 2.128, times: 3, after: 1}
          - {path: /users, status: reset, when: after}
          - {path: /groups, kind: slow, seconds: 0.5, probability: 0.1}
          - {path: "/users$", kind: late_visibility, reads: 3}
          - {path: Policy, kind: stale, seconds: 20, where: [list, write], share: 0.5}
        """,
        "the plan",
    )
    assert (plan.seed, plan.time_scale, plan.throttling, plan.limits["writes"]) == (7, 60, True, 20)
    busy, reset, slow, late, stale = plan.faults
    assert (busy.name, busy.methods, busy.status, busy.retry_after) == ("busy", ("GET", "POST"), 429, "2.128")
    assert (busy.times, busy.after, busy.stage) == (3, 1, "before")
    assert (reset.kind, reset.stage, reset.times) == ("reset", "after", 1)
    assert (slow.seconds, slow.times, slow.probability) == (0.5, None, 0.1)
    assert (late.methods, late.where, late.reads) == (("POST",), ("object", "list", "write"), 3)
    assert (stale.methods, stale.where, stale.share) == (("POST", "PATCH", "PUT", "DELETE"), ("list", "write"), 0.5)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1]", "The plan must be a mapping."),
        ("{", "The plan, line 1, is not valid YAML: expected the node content, but found '<stream end>'."),
        ("seed: 2001-99-99", "The plan is not valid YAML: a value in it cannot be read."),
        ("[" * 600, "The plan is not valid YAML: a value in it cannot be read."),
        ("colour: red", "The plan has no 'colour'; allowed are faults, limits, seed, throttling, time_scale."),
        ("{1: 2}", "The plan has no 1; allowed are faults, limits, seed, throttling, time_scale."),
        ("seed: 1.5", "The plan: seed must be a whole number, not 1.5."),
        ("seed: true", "The plan: seed must be a whole number, not True."),
        ("time_scale: 0", "The plan: time_scale must be a number from 0.001 to 1e+06, not 0."),
        ("time_scale: .nan", "The plan: time_scale must be a number from 0.001 to 1e+06, not nan."),
        ("throttling: 1", "The plan: throttling must be true or false, not 1."),
        ("limits: 5", "The plan: limits must be a mapping."),
        ("limits: {users: 5}", "The plan, in its limits, has no 'users'; allowed are conditional_access, directory,"),
        ("limits: {directory: 5}", "The plan: directory must be a whole number from 6 to 1000000000, not 5."),
        ("faults: {}", "The plan: faults must be a list."),
        ("faults: [1]", "Fault 1 of the plan must be a mapping."),
        ("faults: [{}]", "Fault 1 of the plan needs a status (400 to 599, or reset) or a kind: choose from error,"),
        ("faults: [{status: 500}]", "Fault 1 of the plan needs a path: a regular expression."),
        ("faults: [{status: 500, path: 1}]", "Fault 1 of the plan needs a path: a regular expression."),
        ("faults: [{status: 500, path: '('}]", "Fault 1 of the plan: its path is no regular expression: missing ),"),
        ("faults: [{status: 500, path: 'a{9999999999999}'}]", "Fault 1 of the plan: its path is no regular expression"),
        ("faults: [{status: 200, path: x}]", "Fault 1 of the plan: status must be a whole number from 400 to 599, or"),
        ("faults: [{status: broken, path: x}]", "Fault 1 of the plan: status must be a whole number from 400 to 599,"),
        ("faults: [{kind: error, path: x}]", "Fault 1 of the plan: status must be a whole number from 400 to 599"),
        ("faults: [{kind: reset, status: 500, path: x}]", "Fault 1 of the plan (of the kind reset) has no status."),
        ("faults: [{kind: lost, path: x}]", "Fault 1 of the plan: kind must be one of error, reset, slow, truncated,"),
        ("faults: [{kind: [], path: x}]", "Fault 1 of the plan: kind must be one of error, reset, slow, truncated,"),
        ("faults: [{kind: slow, path: x}]", "Fault 1 of the plan needs seconds: how long the answer takes."),
        ("faults: [{kind: slow, path: x, seconds: -1}]", "Fault 1 of the plan: seconds must be a number from 0 to"),
        ("faults: [{kind: slow, path: x, seconds: .inf}]", "Fault 1 of the plan: seconds must be a number from 0 to"),
        ("faults: [{kind: slow, path: x, status: 500}]", "Fault 1 of the plan (of the kind slow) has no 'status';"),
        ("faults: [{kind: truncated, path: x, when: after}]", "Fault 1 of the plan (of the kind truncated) has no"),
        ("faults: [{kind: stale, path: x}]", "Fault 1 of the plan needs either seconds or reads: how long the old"),
        ("faults: [{kind: stale, path: x, reads: 1, seconds: 1}]", "Fault 1 of the plan needs either seconds or reads"),
        ("faults: [{kind: stale, path: x, reads: 0}]", "Fault 1 of the plan: reads must be a whole number from 1 to"),
        ("faults: [{kind: stale, path: x, reads: 1, method: GET}]", "Fault 1 of the plan (of the kind stale) strikes"),
        ("faults: [{kind: stale, path: x, reads: 1, where: []}]", "Fault 1 of the plan: where is empty; choose from"),
        ("faults: [{kind: stale, path: x, reads: 1, where: all}]", "Fault 1 of the plan: where must be one of object,"),
        ("faults: [{kind: stale, path: x, reads: 1, share: 2}]", "Fault 1 of the plan: share must be a number from 0"),
        ("faults: [{status: 500, path: x, method: HEAD}]", "Fault 1 of the plan: method must be one of GET, POST,"),
        (
            "faults: [{status: 500, path: x, method: []}]",
            "Fault 1 of the plan: method is empty; choose from GET, POST,",
        ),
        (
            "faults: [{status: 500, path: x, when: later}]",
            "Fault 1 of the plan: when must be one of before, after, not",
        ),
        (
            "faults: [{status: 500, path: x, times: often}]",
            "Fault 1 of the plan: times must be a whole number from 1 to",
        ),
        ("faults: [{status: 500, path: x, times: 0}]", "Fault 1 of the plan: times must be a whole number from 1 to"),
        ("faults: [{status: 500, path: x, after: -1}]", "Fault 1 of the plan: after must be a whole number from 0 to"),
        (
            "faults: [{status: 500, path: x, probability: 2}]",
            "Fault 1 of the plan: probability must be a number from 0",
        ),
        ("faults: [{status: 500, path: x, page: 0}]", "Fault 1 of the plan: page must be a whole number from 1 to"),
        (
            "faults: [{status: 500, path: x, page: 2, method: POST}]",
            "Fault 1 of the plan: only a GET has pages, so page",
        ),
        ("faults: [{status: 500, path: x, body: xml}]", "Fault 1 of the plan: body must be one of graph, html, empty,"),
        ("faults: [{status: 500, path: x, name: ''}]", "Fault 1 of the plan: name must be a text, not ''."),
        ("faults: [{status: 500, path: x, tenant: 5}]", "Fault 1 of the plan: tenant must be a text, not 5."),
        ('faults: [{status: 500, path: x, retry_after: "a\\nb"}]', "Fault 1 of the plan: retry_after must be seconds"),
        ("faults: [{status: 500, path: x, retry_after: -1}]", "Fault 1 of the plan: retry_after must be seconds or"),
        ("faults: [{status: 500, path: x}, {path: y, times: 2}]", "Fault 2 of the plan needs a status (400 to 599, or"),
    ],
)
def test_a_mistake_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SimulatorError) as caught:
        parse_plan(text, "the plan")
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_a_plan_that_contains_itself() -> None:
    for text in ("faults: &a [*a]", "faults: [&a {status: 500, path: x, method: [*a]}]", "&a {seed: *a}"):
        with pytest.raises(SimulatorError):
            parse_plan(text, "the plan")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    for path, reason in (
        (tmp_path / "none.yml", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "binary.yml", "it is not UTF-8 text"),
        (Path("nul\0"), "it is not UTF-8 text"),
    ):
        with pytest.raises(SimulatorError) as caught:
            load_plan(path)
        assert str(caught.value) == f"The plan of faults {path} cannot be read: {reason}."


def test_the_command_line_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "faults.yml"
    file.write_text("faults:\n  - {path: /users, status: 700}\n")
    assert main(["serve", "--faults", str(file)]) == 2
    assert capsys.readouterr().err == (
        f"m365-simulator: Fault 1 of the plan of faults {file}: status must be a whole number from 400 to 599, "
        "or reset, not 700.\n"
    )


# Whatever is sent

KEYS = sorted(set().union(*KINDS.values()))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from([*KINDS, *VERBS, "reset", "before", "after", "object", "list", "(", "/users", "html"]),
    st.integers(400, 599),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
FAULTS = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), VALUES, max_size=7)
PLANS = st.dictionaries(
    st.sampled_from(["seed", "time_scale", "throttling", "limits", "faults"]), VALUES | st.lists(FAULTS, max_size=3)
)


def outcome(read: Any, *arguments: Any) -> str | None:
    """The sentence, or None for a good one; any other exception fails the test."""
    try:
        read(*arguments)
    except SimulatorError as error:
        return str(error)
    return None


@given(st.text())
def test_no_text_ends_in_a_traceback(text: str) -> None:
    sentence = outcome(parse_plan, text, "the plan")
    assert sentence is None or (sentence.startswith("The plan") and sentence.endswith("."))


@given(PLANS | VALUES)
def test_no_content_ends_in_a_traceback(content: Any) -> None:
    sentence = outcome(read_plan, content, "the plan")
    assert sentence is None or (sentence.endswith(".") and "\n" not in sentence)
    outcome(parse_plan, yaml.safe_dump(content), "the plan")


@given(FAULTS, st.sampled_from(list(KINDS)))
def test_no_fault_ends_in_a_traceback(content: dict[str, Any], kind: str) -> None:
    whole = {"path": "/users", "kind": kind, "seconds": 1, **content}
    sentence = outcome(read_fault, whole, "the fault")
    assert sentence is None or (sentence.startswith("The fault") and sentence.endswith("."))
