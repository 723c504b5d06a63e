# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A local, stateful Microsoft Graph and Entra sign-in service."""

from __future__ import annotations

__version__ = "1.0.0"
