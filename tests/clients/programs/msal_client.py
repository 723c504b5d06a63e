# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs in with msal, by a secret and by a certificate (the file named), and reads with requests."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import msal
import requests


def sign_in(credential: Any, authority: str) -> dict[str, Any]:
    application = msal.ConfidentialClientApplication(
        os.environ["AZURE_CLIENT_ID"], authority=authority, client_credential=credential
    )
    answer: dict[str, Any] = application.acquire_token_for_client(["https://graph.microsoft.com/.default"])
    return answer


def main() -> None:
    authority = f"https://login.microsoftonline.com/{os.environ['AZURE_TENANT_ID']}"
    pem = Path(sys.argv[1]).read_text(encoding="utf-8")
    certificate = {"private_key": pem, "public_certificate": pem}
    answers = {
        "secret": sign_in(os.environ["AZURE_CLIENT_SECRET"], authority),
        "certificate": sign_in(certificate, authority.replace("login.microsoftonline.com", "login.windows.net")),
        "wrong secret": sign_in("wrong", authority),
    }
    read = {}
    for name in ("secret", "certificate"):
        headers = {"Authorization": f"Bearer {answers[name]['access_token']}"}
        answer = requests.get("https://graph.microsoft.com/v1.0/organization", headers=headers, timeout=30)
        read[name] = answer.json()["value"]
    print(json.dumps({"read": read, "wrong secret": answers["wrong secret"]}))


main()
