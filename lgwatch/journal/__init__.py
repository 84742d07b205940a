"""The journal: one JSON line per event, appended by whoever saw it. The only place where events become JSON.

The format, version 1, is described in the README ("The journal"). The header is line 0; a line's number is the
sequence number of its event.
"""

from lgwatch.journal.lines import decode, encode
from lgwatch.journal.reader import JournalReader, resolve_event, resolved_events
from lgwatch.journal.writer import LOST_RESULT, JournalWriter

__all__ = ["LOST_RESULT", "JournalReader", "JournalWriter", "decode", "encode", "resolve_event", "resolved_events"]
