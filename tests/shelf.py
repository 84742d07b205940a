from __future__ import annotations

import orjson
from langchain_core.messages import HumanMessage

from lgwatch.events import Json
from lgwatch.refs import resolve
from lgwatch.values import Values


class Shelf:
    """Values with the stored ones at hand."""

    def __init__(self) -> None:
        self.stored: dict[str, Json] = {}
        self.values = Values(self._store)

    def _store(self, name: str, data: Json) -> None:
        assert name not in self.stored
        # As the journal does: on the line it is bytes, and nobody can change it afterwards.
        self.stored[name] = orjson.loads(orjson.dumps(data))

    def snapshot(self, value: object) -> Json:
        self.values.touch()
        return self.values.snapshot(value)

    def whole(self, data: Json) -> Json:
        return resolve(data, self.stored.__getitem__)

    def seen(self, value: object) -> Json:
        return self.whole(self.snapshot(value))

    @property
    def size(self) -> int:
        return sum(len(orjson.dumps(data)) for data in self.stored.values())


def talk(count: int) -> list[HumanMessage]:
    return [HumanMessage(f"message {i} " + "some words " * 15, id=f"id-{i}") for i in range(count)]


def contents(data: Json) -> list[str]:
    return [message["fields"]["content"] for message in data]
