"""The sample prod: a database of the shape and the oddities of a real ERP's, of any size.

It demands of a copy what a real one does: three hundred tables, keys that can be deferred, triggers
that stamp a time, sequences behind their columns or never called, tables without a primary key,
values that equal each other and differ in print, and texts that break parsers. The same scale gives
the same content, byte for byte.
"""

from harness.local.sample.load import COMPANY, fill

__all__ = ["COMPANY", "fill"]
