"""Two accounts of one graph, fact by fact: the one that was taken without lgwatch, and what the journal tells.

Nothing here runs a graph. Ids and moments differ from run to run, so a fact's place is said in names: the node, its
step, which of several it is, and the same of the tasks around it. Order is compared only where LangGraph promises it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lgwatch.accounts import SECTIONS
from lgwatch.events import Json, Namespace

LOOSE = frozenset({"updates", "interrupts", "breakpoints"})
"""Facts of which several at one place come in any order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that the two accounts do not tell alike: which kind of fact, which part of it, and the whole in words."""

    section: str
    part: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class Comparison:
    """What was compared: `counts` facts of each kind, and the `differences` between them."""

    counts: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def count(self, kind: str, number: int = 1) -> None:
        """Note that so many facts of a kind are compared."""
        self.counts[kind] = self.counts.get(kind, 0) + number

    def check(self, kind: tuple[str, str], where: str, told: Json, seen: Json) -> None:
        """Compare one part of one fact; `kind` is the kind of fact and the part."""
        if not agree(told, seen):
            self.differ(kind, f"{where}: {kind[1]}", _short(told), _short(seen))

    def differ(self, kind: tuple[str, str], what: str, told: str, seen: str) -> None:
        """Note a difference, in words."""
        self.differences.append(Difference(*kind, f"{what}: without lgwatch {told}, watched {seen}"))


def compare(told: Mapping[str, Json], seen: Mapping[str, Json]) -> Comparison:
    """Compare the account `told` without lgwatch with the one that was `seen` by it."""
    found = Comparison()
    if len(told["runs"]) != len(seen["runs"]):
        found.differ(("runs", "number"), "the thread", f"{len(told['runs'])} runs", f"{len(seen['runs'])} runs")
    for number, (one, other) in enumerate(zip(told["runs"], seen["runs"], strict=False), 1):
        _compare_runs(found, f"run {number}" if len(told["runs"]) > 1 else "the run", one, other)
    # A thread that waits shows, in the saver's own view of it, what its finished tasks are about to write.
    if told["state"] is not None and told["runs"][-1]["status"] == "done":
        found.count("final state")
        last = {"values": None, "next": [], **(seen["state"] or {})}
        if isinstance(told["state"]["values"], dict) and isinstance(last["values"], dict):
            # Channels that are not saved are told of with a checkpoint all the same.
            last["values"] = {key: one for key, one in last["values"].items() if key in told["state"]["values"]}
        for part in ("values", "next"):
            found.check(("state", part), "the thread", told["state"][part], last[part])
    return found


def _compare_runs(found: Comparison, where: str, told: Mapping[str, Json], seen: Mapping[str, Json]) -> None:
    parts = ["status", *(["output"] if told["status"] == "done" else [])]
    if (seen["error"] or {}).get("type") != "InputError":  # LangGraph's own words for it are said in better ones
        parts.append("error")
    for part in parts:
        found.count("results")
        found.check(("results", part), where, told[part], seen[part])
    concurrent = set(told["concurrent"])
    names = (_names(told["tasks"]), _names(seen["tasks"]))
    loose = {names[0].get(task, "") for task in concurrent}
    if told["status"] == "failed":  # such a run tells again what its thread waits at since an earlier one
        again = _matched(told["interrupts"], seen["interrupts"], _same_question)[1]
        seen = {**seen, "interrupts": again[: len(told["interrupts"])]}
    if told["checkpoints"] is None:  # nothing keeps the state when nobody watches
        seen = {**seen, "checkpoints": None}
    for section in SECTIONS:
        if told[section] is None:
            continue
        found.count(section, len(told[section]))
        places = _places(section, told, names[0]), _places(section, seen, names[1])
        if section == "custom" and any(fact["task"] is None for fact in told[section]):  # who wrote is not known
            places = tuple({"": [{"data": fact["data"], "path": ""} for fact in one[section]]} for one in (told, seen))  # type: ignore[assignment]
        for place in dict.fromkeys([*places[0], *places[1]]):
            ordered = section not in LOOSE and place not in loose
            at = f"{where}: {place}" if where != "the run" else place
            _compare_facts(found, section, at, *(one.get(place, []) for one in places), ordered=ordered)


def _names(tasks: Iterable[Mapping[str, Json]]) -> dict[str, str]:
    """Return where each task is, in names that are the same in another run."""
    known = {task["task"]: task for task in tasks}
    names: dict[str, str] = {}
    count: dict[str, int] = {}

    def name(task: Mapping[str, Json]) -> str:
        if task["task"] not in names:
            outer = known.get(task["parent"])
            where = f"{task['node']}[{task['step']}]"
            if task["parent"]:
                where = f"{name(outer) if outer is not None else '?'} › {where}"
            count[where] = count.get(where, 0) + 1
            names[task["task"]] = where if count[where] == 1 else f"{where}#{count[where]}"
        return names[task["task"]]

    for task in known.values():
        name(task)
    return names


def _places(section: str, account: Mapping[str, Json], names: Mapping[str, str]) -> dict[str, list[dict[str, Json]]]:
    """Return the facts of one kind by where they happened."""
    places: dict[str, list[dict[str, Json]]] = {}
    ids: dict[str, int] = {}
    for number, fact in enumerate(account[section]):
        if section == "breakpoints":
            places.setdefault(fact, []).append({})
            continue
        if section == "checkpoints":
            ids[fact["id"]] = number
        place = names.get(fact["task"], "outside of any task") if "task" in fact else _graph(fact["ns"], names)
        told = {part: fact[part] for part in SECTIONS[section]}
        if section == "checkpoints":
            told["parent"] = fact["parent"] and ids.get(fact["parent"], "before")
        places.setdefault(place, []).append(told)
    if section == "checkpoints":  # numbers of those of the same graph
        for facts in places.values():
            numbers = sorted({fact["parent"] for fact in facts if isinstance(fact["parent"], int)})
            for fact in facts:
                if isinstance(fact["parent"], int):
                    fact["parent"] = numbers.index(fact["parent"])
    return places


def _graph(ns: Namespace | Sequence[str], names: Mapping[str, str]) -> str:
    inner = next((number for number in range(len(ns), 0, -1) if ":" in ns[number - 1]), 0)
    if not inner:
        return "the graph"
    further = "".join(f" ({segment})" for segment in ns[inner:])
    return f"the graph in {names.get(ns[inner - 1].rpartition(':')[2], '?')}{further}"


def _compare_facts(
    found: Comparison,
    section: str,
    place: str,
    told: list[dict[str, Json]],
    seen: list[dict[str, Json]],
    *,
    ordered: bool,
) -> None:
    if not ordered:
        told, seen = _matched(told, seen, agree)
    for number, (one, other) in enumerate(zip(told, seen, strict=False), 1):
        at = place if section == "tasks" else f"{section.removesuffix('s')} {number} of {place}"
        for part in SECTIONS[section]:
            found.check((section, part), at, one[part], other[part])
    if len(told) != len(seen):
        more = f"; first: {_short((told + seen)[min(len(told), len(seen))])}" if not told or not seen else ""
        found.differ((section, "number"), place, f"{len(told)} {section}", f"{len(seen)}{more}")


def _matched(
    told: list[dict[str, Json]], seen: list[dict[str, Json]], same: Callable[[Json, Json], bool]
) -> tuple[list[dict[str, Json]], ...]:
    """Return both lists in an order in which what is the same stands at the same place."""
    left, right, rest = [], [], list(seen)
    alone = []
    for one in told:
        other = next((other for other in rest if same(one, other)), None)
        if other is None:
            alone.append(one)
        else:
            rest.remove(other)
            left.append(one)
            right.append(other)
    return left + alone, right + rest


def _same_question(told: Json, seen: Json) -> bool:
    return agree(told["value"], seen["value"])


def _short(value: Json) -> str:
    text = json.dumps(_masked(value), ensure_ascii=False)
    return text if len(text) <= 200 else text[:199] + "…"


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_IDS = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(-\d+)?|\b[0-9a-f]{32}\b| at 0x[0-9a-f]+"
    r"|\b\d+\.\d+ ?s\b"
)


_CUT = re.compile(r"… \([\d,]+ characters\)")
"""What stands in a text for the rest of a very long chunk."""


def agree(told: Json, seen: Json) -> bool:
    """Whether two values are the same but for ids and durations, as far as the one that was seen was not cut."""
    if isinstance(told, dict) and isinstance(seen, dict):
        if "$cycle" in seen:
            return True
        if seen.get("$type") == "dict" and "$type" not in told:  # for keys that are too long for an object
            told = {"$type": "dict", "items": [list(pair) for pair in told.items()]}
        if "$type" in told and "$type" in seen:
            return _same_object(told, seen)
        if "$cut" in seen:
            return all(key in told and agree(told[key], one) for key, one in seen.items() if key != "$cut")
        if seen.get("$type") == "writes":
            return agree(told.get("$writes"), seen["items"])
        return told.keys() == seen.keys() and all(agree(one, seen[key]) for key, one in told.items())
    if isinstance(told, list) and isinstance(seen, list):
        if seen and isinstance(seen[-1], dict) and "$cut" in seen[-1]:
            seen = seen[:-1]
            told = told[: len(seen)]
        return len(told) == len(seen) and all(map(agree, told, seen))
    if isinstance(seen, dict) and "$cycle" in seen:
        return True
    if isinstance(seen, dict) and "$cut" in seen:
        head = seen.get("head")
        return head is None or (isinstance(told, str) and told.startswith(head))
    if isinstance(told, str) and isinstance(seen, str):
        if told == seen or _IDS.sub("#", told) == _IDS.sub("#", seen):
            return True
        head, *_, tail = [*_CUT.split(seen), ""] if _CUT.search(seen) else (seen + "\0", "")
        return told.startswith(head) and told.endswith(tail)
    return bool(told == seen) and isinstance(told, bool) == isinstance(seen, bool)


def _same_object(told: dict[str, Json], seen: dict[str, Json]) -> bool:
    """Whether two objects are of one type and hold the same, as far as both tell."""
    if told["$type"] != seen["$type"]:
        return False
    if "fields" in told and "fields" in seen:
        drop = {"id", "type"} if "Message" in told["$type"] else set()
        one, other = (
            {key: value for key, value in fields.items() if key not in drop and value not in (None, False, "", [], {})}
            for fields in (told["fields"], seen["fields"])
        )
        if "args" in other and "args" not in one:  # of an exception
            other.pop("args")
        return agree(one, other)
    if told["$type"] == "set":
        return len(told["items"]) == len(seen["items"]) and len(_pairs(told["items"], seen["items"])) == len(
            told["items"]
        )
    return all(agree(told[key], seen[key]) for key in ("items", "value", "name", "size") if key in told and key in seen)


def _pairs(told: Sequence[Json], seen: Sequence[Json]) -> list[Json]:
    rest, found = list(seen), []
    for one in told:
        other = next((number for number, other in enumerate(rest) if agree(one, other)), None)
        if other is not None:
            found.append(rest.pop(other))
    return found


def _masked(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _masked(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_masked(one) for one in value]
    return _IDS.sub("#", value) if isinstance(value, str) else value
