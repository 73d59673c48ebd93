"""What is a secret in the ERP's content, told by name or by look, so that no report shows it.

A secret is what opens something: a password or its hash, a key, a token, a session, the check
number of a card. Personal data is none: whoever reviews a rehearsal must see whose address was
changed. Nor is an account number: that a supplier is now paid to another one is the very thing to
see, and the number opens nothing. Where the ERP has encrypted one (`iban_prefix`), its cipher text
is masked as every other is.

In doubt it is a secret: a value that is masked without need costs a look into the sandbox.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    Row = Mapping[str, str | None]

# Words of a name: `pass_crypted` has two, `apiKey` too.
_WORDS = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_SECRET_WORD = re.compile(
    r"pass(?:word|wd|phrase|code)?s?\d*|\w*(?:password|passwd)|pwd?\d*|passe|motdepasse|mdp"
    r"|\w*secrets?|\w*tokens?|token\w+|credentials?|bearer|jwt|cookies?"
    r"|(?:\w*(?:api|secure|server|export|private|priv|auth|access|encryption|signing|licen[cs]e))?keys?"
    r"|\w*crypted|salt|hash|otp|totp|pin|cvn|cvv2?|cvc2?"
)
# Several words that only together name a secret.
_SECRET_PHRASE = re.compile(
    r"api_signature|instance_unique_id|session_?id|session_(?:variable|data)", re.IGNORECASE
)
# Names that speak of a secret and hold none: the id of a row, a date, the name of a method.
_ABOUT_A_SECRET = re.compile(
    r"(?:fk|date|nb)_.*|import_key|.*_(?:algo|algorithm|encoding)", re.IGNORECASE
)
# Whoever has the link that is made of it reads the document, without a login.
_SECRET_COLUMNS = {("llx_ecm_files", "share"), ("llx_links", "share")}

# A table of settings: one column names what another one holds.
_NAMING = ("name", "param", "property", "code", "setting", "key")
_HELD = frozenset({"value", "val", "valeur"})
# Of these the value is a number or a label, and never a setting's.
_NO_SETTINGS = frozenset({"llx_stock_mouvement", "llx_product_attribute_value"})

# Most values are numbers, times or plain words, and a reset has no time to look at each in twenty
# ways: whatever looks like a secret has one of these signs.
_NO_SECRET = re.compile(r"[\d .:+-]*|[^-:;=${_.]*")
_SECRET_LOOK = re.compile(
    r"(?:dolcrypt|crypted):"
    # Hashes of passwords: crypt(3) and its kin, LDAP's.
    r"|\$(?:[156y]|2[abxy]?|argon2\w*|scrypt|pbkdf2[\w-]*)\$[\w./$=,+-]{8}"
    r"|\{(?:s?sha\d*|s?md5|crypt)\}\S"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    # A password in an address, and a JSON web token.
    r"|://[^/\s:@]*:[^/\s@]+@"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\."
    r"|\b(?:[rs]k_(?:live|test)_|whsec_|gh[opsru]_|xox[abeprs]-)\w{6}"
    # `password: x`, `"api_key":"x"`, `&token=x`, and PHP's `"pass";s:1:"x"`.
    r"|(?<![a-z])(?:pass(?:word|wd|phrase)?|pwd|secret|api[_-]?key|token)[\"')\]]*\s*[:=;]\s*[\"']?[^\s\"']",
    re.IGNORECASE,
)


@lru_cache(maxsize=10_000)
def is_secret_name(name: str) -> bool:
    """Whether a column or a setting of this name holds a secret."""
    if _ABOUT_A_SECRET.fullmatch(name):
        return False
    words = _WORDS.findall(_CAMEL.sub("_", name).lower())
    secret = any(map(_SECRET_WORD.fullmatch, words))
    return secret or _SECRET_PHRASE.search(name) is not None


def is_secret_value(value: str) -> bool:
    """Whether a value shows by its look that it is a secret, or has one in it."""
    return _NO_SECRET.fullmatch(value) is None and _SECRET_LOOK.search(value) is not None


def naming_columns(columns: Mapping[str, object]) -> list[str]:
    """Of a table of settings, the columns that name what its rows hold; of any other, none."""
    if _HELD.isdisjoint(columns):
        return []
    return [column for column in _NAMING if column in columns]


def secret_columns(table: str, *versions: Row, whole: bool) -> set[str]:
    """The columns of one row whose values are secrets.

    Args:
        table: Its table.
        versions: What is known of the row: its key, what it was, what it is.
        whole: Whether together they have every column. Of a setting whose name is not known, the
            value is taken for a secret.
    """
    columns = dict.fromkeys(column for version in versions for column in version)
    naming = naming_columns(columns)
    found = {
        column
        for column in columns
        if (table, column) in _SECRET_COLUMNS or (is_secret_name(column) and column not in naming)
    }
    for version in versions:
        found |= {column for column, value in version.items() if value and is_secret_value(value)}
    names = [name for column in naming for version in versions if (name := version.get(column))]
    unnamed = not names and not whole and table not in _NO_SETTINGS
    if unnamed or any(map(is_secret_name, names)):
        found |= _HELD & columns.keys()
    return found
