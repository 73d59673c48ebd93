r"""Texts of the sample: pools that fill rows cheaply, and awkward ones that a copy must survive.

Everything here is escaped once, for COPY's text format; `\N` alone is its NULL.
"""

from __future__ import annotations

from random import Random

NULL = r"\N"

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def escape(text: str) -> str:
    """The text as COPY's text format writes it."""
    return text.translate(_ESCAPES)


_LONG = 44_000

# What tends to break a dump, a diff or a hand-written parser. The last one does not compress, so
# that it is stored out of line; the long one before it does.
AWKWARD = (
    "",
    " ",
    r"\N",
    r"\\N",
    r"\.",
    "\n\\.\n",
    "NULL",
    "a\ttab, and another\t",
    "lines end as\r\non Windows\r\n",
    "\n\nblank lines before, a carriage return after\r",
    "it's a \"quoted\" text with 'both kinds'",
    r"C:\temp\new\report.txt, a backslash last \ ",
    "$body$ BEGIN; $$ ; $1 ${HOME} $body$",
    "'; DROP TABLE llx_facture; -- ",
    "semicolon; {curly}, [square], <b>bold</b> &amp; %s %(name)s",
    "\U0001f9fe\U0001f468\u200d\U0001f469\u200d\U0001f467 emoji, one of them joined of three",
    "e\u0301 and \u00e9 look the same, and are not",
    "Ελληνικά, 日本語, العربية, \u202eturned round\u202c",
    "trailing blanks   ",
    "  leading blanks",
    "\u00a0no-break\u00a0blanks\u00a0and a zero-width\u200b one",
    "control \x01\x07\x1b[31m characters \x7f",
    '{"json": [1.0, 1.00, null, "\\u00e9"]}',
    'a:1:{s:4:"name";s:5:"Zo\u00eb\'s";}',
    "long and repetitive, " * (_LONG // 21),
    Random(44).randbytes(_LONG // 2).hex(),  # noqa: S311  it only must not compress
)

_OPENINGS = ("Called about", "Wrote about", "Met on site for", "Sent the quote for", "Measured for")
_WORKS = (
    "the gutters on the courtyard side",
    "a zinc roof with standing seams",
    "the dormer above the staircase",
    "flashing around two chimneys",
    "the downpipe that the lorry bent",
    "a copper finial, after the old one",
    "the terrace and its drain",
)
_ENDINGS = (
    "They answer by Friday.",
    "The scaffold stays another week; nobody minds.",
    "Prices hold until the end of the month.\nThe deposit is in.",
    "Weather permitting, we start on Monday.",
    "To be seen again once the mason is done.",
    "Accepted as it stands.",
    "They want photographs first (before, during, after).",
    "The neighbour agrees, in writing.",
    "No reply so far; third reminder.",
    "Keys are at the caretaker's.",
    "Access by the garden gate only.",
)

NOTES = tuple(
    escape(f"{opening} {work}. {ending} {_ENDINGS[(turn * 5 + 3) % len(_ENDINGS)]}")
    for opening in _OPENINGS
    for work in _WORKS
    for turn, ending in enumerate(_ENDINGS)
)
WORKS = tuple(escape(work) for work in _WORKS)
TRADES = ("Bakery", "Garage", "School", "Vineyard", "Hotel", "Farm", "Printer", "Clinic", "Market")
PLACES = ("Apt", "Bonnieux", "Céreste", "Gordes", "Lacoste", "Ménerbes", "Oppède", "Roussillon")
FORENAMES = ("Anaïs", "Basile", "Cléa", "Denis", "Ève", "Félix", "Garance", "Henri", "Iris", "Jean")
SURNAMES = ("Aubépine", "Bruyère", "Cyprès", "Dahlia", "Érable", "Fougère", "Genêt", "Houx", "Iris")
