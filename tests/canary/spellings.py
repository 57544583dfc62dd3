"""Where a word stands in bytes, however it is spelled: as it is, escaped, in base64 at any alignment, in hexadecimal digits, twice so."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.gpuaas.parity.plugins.module_utils._diagnosis.secret_forms import forms


class Spellings:
    """Of one word, which is long and random enough to be nowhere by chance."""

    def __init__(self, word: str) -> None:
        spelled = {form.encode() for form in forms(word)}
        # A dump of Postgres has binary columns as hexadecimal digits.
        self._forms = sorted(spelled | {form.hex().encode() for form in spelled}, key=len)
        self.longest = len(self._forms[-1])

    def stand_in(self, data: bytes) -> bool:
        """Whether any of them does."""
        return any(form in data for form in self._forms)


def found(words: dict[str, Spellings], chunks: Iterable[bytes]) -> set[str]:
    """The names of the words that stand in what ``chunks`` are together, also where one ends and the next begins."""
    names: set[str] = set()
    overlap = max(each.longest for each in words.values())
    kept = b""
    for chunk in chunks:
        data = kept + chunk
        names |= {name for name in words.keys() - names if words[name].stand_in(data)}
        kept = data[-overlap:]
    return names
