# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters and lookups that seal: Ansible Vault opens what they write, and nothing is lost or shown."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError, AnsibleLookupError
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.zerotrust.m365.plugins.filter.seal_decision import FilterModule as SealDecision
from ansible_collections.zerotrust.m365.plugins.lookup.emergency_password import LookupModule as EmergencyPassword
from ansible_collections.zerotrust.m365.plugins.lookup.sealed_file import LookupModule as SealedFile
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.passwords import new_password
from ansible_collections.zerotrust.m365.plugins.plugin_utils._vault import sealed, unsealed

DOCUMENT: dict[str, Any] = {
    "secret": "correct horse battery",
    "state": "pending",
    "sealed": "2026-11-23T10:00:00Z",
    "changed": None,
}
KEYS = [{"vault_id": f"safe{number}", "vault_password": f"password {number}"} for number in range(1, 4)]


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_what_is_sealed_is_opened(parts: int) -> None:
    envelopes = sealed(DOCUMENT, KEYS[:parts])
    opened = unsealed(envelopes, KEYS[:parts])
    assert {**opened, "seal": None} == {**DOCUMENT, "seal": None}
    for envelope, key in zip(envelopes, KEYS, strict=False):
        assert envelope.startswith(f"$ANSIBLE_VAULT;1.2;AES256;{key['vault_id']}\n")
        document = yaml.safe_load(VaultLib([("any", VaultSecret(key["vault_password"].encode()))]).decrypt(envelope))
        assert document["secret"] in DOCUMENT["secret"]
        assert (document["secret"] == DOCUMENT["secret"]) == (parts == 1)


def test_a_password_is_read_off_a_seal_as_it_is() -> None:
    """Without quotation marks around it, of which nobody could tell whether they belong to it."""
    for _each in range(200):
        password = new_password(secrets.choice)
        assert yaml.safe_dump({"secret": password}) == f"secret: {password}\n"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([], "one vault ID at least"),
        ("safe", "one vault ID at least"),
        ([{"vault_id": "safe"}], "is missing. Set emergency_access_vault_password_file to .* of each part"),
        ([{"vault_id": "safe", "vault_password": ""}], "is missing"),
        ([{"vault_id": "safe", "vault_password": " "}], "is empty"),
        ([{"vault_id": "safe", "vault_password_file": "/nowhere"}], "/nowhere is no file"),
        ([KEYS[0], KEYS[0]], "vault ID of its own"),
        ([KEYS[0], {**KEYS[0], "vault_id": "other"}], "vault password of its own"),
        ([{"vault_id": str(one), "vault_password": str(one)} for one in range(5)], "4 parts at most"),
    ],
)
def test_keys_that_seal_nothing(keys: Any, words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        sealed(DOCUMENT, keys)


def test_the_file_with_a_vault_password(tmp_path: Path) -> None:
    """Blank space around it does not count, as Ansible has it."""
    file = tmp_path / "safe"
    file.write_text(f"\n {KEYS[0]['vault_password']} \n", encoding="utf-8")
    key = {"vault_id": "safe1", "vault_password_file": str(file)}
    assert unsealed(sealed(DOCUMENT, [key]), KEYS[:1]) == DOCUMENT
    file.chmod(0o700)
    with pytest.raises(AnsibleFilterError, match="is executable"):
        sealed(DOCUMENT, [key])
    file.chmod(0o600)
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(AnsibleFilterError, match="is empty"):
        sealed(DOCUMENT, [key])


def damaged() -> list[tuple[list[str], str]]:
    (whole,) = sealed(DOCUMENT, KEYS[:1])
    secret = VaultSecret(KEYS[0]["vault_password"].encode())
    lines = whole.splitlines()
    return [
        (sealed(DOCUMENT, KEYS[1:2]), "another vault password"),
        (["secret: in clear"], "damaged"),
        (["\n".join([*lines[:-1], lines[-1][:-4]])], "damaged"),
        ([VaultLib().encrypt("just text", secret).decode()], "damaged"),
        ([VaultLib().encrypt("{unclosed", secret).decode()], "damaged"),
        ([VaultLib().encrypt("state: live", secret).decode()], "no secret"),
        (sealed(DOCUMENT, KEYS[:2])[:1], "another number of parts"),
        (sealed(DOCUMENT, KEYS[:2]), "as many parts as there are vault IDs"),
    ]


@pytest.mark.parametrize("number", range(8))
def test_what_cannot_be_opened(number: int) -> None:
    envelopes, words = damaged()[number]
    with pytest.raises(AnsibleFilterError, match=words) as raised:
        unsealed(envelopes, KEYS[:1])
    assert DOCUMENT["secret"] not in str(raised.value)


def test_what_is_no_document_or_no_list_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="dictionary"):
        sealed("text", KEYS)
    with pytest.raises(AnsibleFilterError, match="no secret"):
        sealed({"state": "live"}, KEYS)
    with pytest.raises(AnsibleFilterError, match="list"):
        unsealed("text", KEYS)
    assert unsealed([""], KEYS[:1]) == {}
    decide = SealDecision().filters()["seal_decision"]
    for account, seal in ((None, {}), ({}, None), ({}, {})):
        with pytest.raises(AnsibleFilterError, match="seal_decision needs"):
            decide(account, seal, "tenant")


# Files


look = SealedFile().run


def test_a_file_that_somebody_else_has_written_meanwhile_stays(tmp_path: Path) -> None:
    paths = [str(tmp_path / "one.yml"), str(tmp_path / "two.yml")]
    first, second = sealed(DOCUMENT, KEYS[:2]), sealed(DOCUMENT, KEYS[:2])
    assert look(paths, content=first, replacing=["", ""]) == first
    for old in (["", ""], [first[0], ""], [first[1], first[0]]):
        with pytest.raises(AnsibleLookupError, match="Another run has written the sealed file meanwhile"):
            look(paths, content=second, replacing=old)
    assert look(paths) == first
    assert look(paths, content=second, replacing=first) == second


def test_files_are_written_whole_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "tenant"
    paths = [folder / "one.yml", folder / "two.yml"]
    assert look([str(path) for path in paths], writable=True) == ["", ""]
    assert not folder.exists()
    envelopes = sealed(DOCUMENT, KEYS[:2])
    assert look([str(path) for path in paths], content=envelopes) == envelopes
    assert look([str(path) for path in paths]) == envelopes
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert sorted(folder.iterdir()) == paths


def test_a_file_that_cannot_be_replaced_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "one.yml"
    old, new = sealed(DOCUMENT, KEYS[:1]), sealed(DOCUMENT, KEYS[:1])
    look([str(path)], content=old)
    monkeypatch.setattr(Path, "replace", _no_space)
    with pytest.raises(AnsibleLookupError, match="No space"):
        look([str(path)], content=new)
    assert look([str(path)]) == old
    assert list(tmp_path.iterdir()) == [path]


def _no_space(path: Path, target: Path) -> None:
    raise OSError(28, "No space left on device", str(path))


@pytest.mark.parametrize(("content", "count"), [(["in clear"], 1), ([], 1), (["$ANSIBLE_VAULT;1.1;AES256\n00"], 2)])
def test_what_is_not_encrypted_is_not_written(tmp_path: Path, content: list[str], count: int) -> None:
    with pytest.raises(AnsibleLookupError, match="one encrypted text to each path"):
        look([str(tmp_path / str(number)) for number in range(count)], content=content)
    assert list(tmp_path.iterdir()) == []


def a_pipe(folder: Path) -> str:
    os.mkfifo(folder / "pipe")
    return str(folder / "pipe")


def a_huge_file(folder: Path) -> str:
    with (folder / "huge").open("wb") as file:
        file.truncate(2**40)
    return str(folder / "huge")


def test_a_vault_password_is_in_a_small_file(tmp_path: Path) -> None:
    """Nothing is waited for, and nothing larger than any password is read."""
    for strange, words in (
        (a_pipe(tmp_path), "is no file"),
        (a_huge_file(tmp_path), "is larger than 1 MiB"),
        ("~no-such-user/password", "~no-such-user/password is no file"),
        ("pass\0word", "holds characters that no path may hold"),
        ("a" * 5000, "is no file"),
    ):
        with pytest.raises(AnsibleFilterError, match=words):
            sealed(DOCUMENT, [{"vault_password_file": strange}])


def test_folders_and_files_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(AnsibleLookupError, match="is no text"):
        look([str(file)])
    with pytest.raises(AnsibleLookupError, match="Is a directory"):
        look([str(tmp_path)])
    for strange in (a_pipe(tmp_path), a_huge_file(tmp_path)):
        with pytest.raises(AnsibleLookupError, match="is no regular file of 1 MiB at most"):
            look([strange])
    with pytest.raises(AnsibleLookupError, match="holds characters that no path may hold"):
        look(["seals/\0.yml"])
    with pytest.raises(AnsibleLookupError, match="No such file"):
        look([str(tmp_path / "missing" / "tenant" / "one.yml")], content=sealed(DOCUMENT, KEYS[:1]))
    monkeypatch.setattr(os, "access", lambda path, _mode: path != tmp_path)
    with pytest.raises(AnsibleLookupError, match=f"{tmp_path}, cannot be written to"):
        look([str(tmp_path / "tenant" / "one.yml")], writable=True)


def test_each_password_is_a_new_one() -> None:
    plugin = EmergencyPassword()
    assert len({plugin.run([])[0] for _each in range(20)}) == 20
    with pytest.raises(AnsibleLookupError):
        plugin.run(["something"])
