# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords of emergency accounts (private to the collection).

Source: Microsoft's page "Self-service password reset policies": 8 to 256 characters, three of four classes.
"""

from __future__ import annotations

from collections.abc import Callable

# Letters and digits that nobody takes for others when reading them off paper.
LETTERS_AND_DIGITS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
# None of these may be in the name of an account, so no name can be in a password.
SYMBOLS = "+=*@?%/"
GROUPS = 16
LETTERS_OF_A_GROUP = 3


def new_password(choose: Callable[[str], str]) -> str:
    """64 characters of all four classes, as 16 groups of three letters or digits and a symbol.

    ``choose`` returns a character of a text, each as likely and as unpredictable as the other.
    """
    while True:
        letters = [choose(LETTERS_AND_DIGITS) for _each in range(GROUPS * LETTERS_OF_A_GROUP)]
        if all(any(of_class(letter) for letter in letters) for of_class in (str.islower, str.isupper, str.isdigit)):
            break
    groups = [letters[start : start + LETTERS_OF_A_GROUP] for start in range(0, len(letters), LETTERS_OF_A_GROUP)]
    return "".join("".join(group) + choose(SYMBOLS) for group in groups)
