# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft's clouds and where they answer (private to the collection).

Source: Microsoft Graph documentation, "Microsoft Graph and Graph Explorer service root endpoints".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import OptionError

GRAPH_APPLICATION_ID = "00000003-0000-0000-c000-000000000000"


@dataclass(frozen=True)
class Cloud:
    """``login_url`` and ``graph_url`` are https, without a path and without a slash at the end."""

    name: str
    login_url: str
    graph_url: str

    @property
    def scope(self) -> str:
        return f"{self.graph_url}/.default"


CLOUDS: dict[str, Cloud] = {
    cloud.name: cloud
    for cloud in (
        Cloud("global", "https://login.microsoftonline.com", "https://graph.microsoft.com"),
        Cloud("usgov", "https://login.microsoftonline.us", "https://graph.microsoft.us"),
        Cloud("usgov_dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
        Cloud("china", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"),
    )
}

# The names of Azure's command line, as AWX's credential and azure.azcollection use them.
AZURE_NAMES = {
    "azurecloud": "global",
    "azurepubliccloud": "global",
    "azureusgovernment": "usgov",
    "azurechinacloud": "china",
}


def choose_cloud(
    name: str | None, graph_url: str | None, login_url: str | None, environment: Mapping[str, str]
) -> Cloud:
    """The cloud of the options, else of the environment, else the global one. Raises OptionError.

    A custom pair of URLs in the options beats everything; a named cloud in the options beats URLs in the environment.
    """
    if name and (graph_url or login_url):
        raise OptionError("Give either cloud, or graph_url and login_url; not both.")
    if not name and not graph_url and not login_url:
        graph_url = environment.get("M365_GRAPH_URL") or None
        login_url = environment.get("M365_LOGIN_URL") or None
    if graph_url or login_url:
        if not (graph_url and login_url):
            raise OptionError("A custom cloud needs both graph_url and login_url.")
        return Cloud("custom", _base_url("login_url", login_url), _base_url("graph_url", graph_url))
    if name:
        if name not in CLOUDS:
            raise OptionError(f"Unknown cloud '{name}'. Known: {', '.join(CLOUDS)}.")
        return CLOUDS[name]
    azure_name = environment.get("AZURE_CLOUD_ENVIRONMENT")
    if not azure_name:
        return CLOUDS["global"]
    known = AZURE_NAMES.get(azure_name.lower(), azure_name)
    if known not in CLOUDS:
        raise OptionError(
            f"AZURE_CLOUD_ENVIRONMENT is '{azure_name}', which is no known cloud. "
            "Known: AzureCloud, AzureUSGovernment, AzureChinaCloud."
        )
    return CLOUDS[known]


def _base_url(option: str, url: str) -> str:
    if not url.isascii() or any(character <= " " or character in "\\\x7f" for character in url):
        raise OptionError(f"{option} holds characters that no URL may hold.")
    try:
        parts = urlsplit(url)
        _unused = parts.port  # raises on a port that is no number
    except ValueError:
        raise OptionError(f"{option} is no URL.") from None
    if parts.username is not None or parts.password is not None:
        raise OptionError(f"{option} must not hold a user name or a password.")
    if parts.scheme != "https" or not parts.hostname:
        raise OptionError(f"{option} must begin with https:// and name a host, but is '{url}'.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise OptionError(f"{option} must be scheme and host only (like https://graph.microsoft.com), but is '{url}'.")
    return f"https://{parts.netloc.lower()}"
