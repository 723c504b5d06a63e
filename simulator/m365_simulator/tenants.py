# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated tenants and the application that each of them has for the collection to sign in with."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

FEDERATION_SUBJECT = "system:serviceaccount:automation:baseline"
FEDERATION_AUDIENCE = "api://AzureADTokenExchange"


@dataclass
class Application:
    """`secret_expires` is epoch seconds; `certificate` is PEM without key; `permissions` are granted app roles."""

    client_id: str
    object_id: str
    display_name: str
    client_secret: str
    secret_expires: float
    certificate: str
    permissions: list[str]
    enabled: bool = True
    federation_subject: str = FEDERATION_SUBJECT
    federation_audience: str = FEDERATION_AUDIENCE


@dataclass
class Tenant:
    """`number` counts from 0 and is its key in the store; `kind` is AAD, AAD B2C or CIAM; `region` as in metadata."""

    number: int
    id: str
    scenario: str
    initial_domain: str
    region: str
    kind: str
    application: Application
    assumptions: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Tenant:
        return cls(**{**value, "application": Application(**value["application"])})
