"""How the instances of each type are read: with the methods of the base type they are built on, never with their own.

One table from a base to a reading, looked up once per type.
"""

from __future__ import annotations

import array
import collections
import datetime as dt
import decimal
import enum
import gc
import pathlib
import types
import uuid
from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lgwatch.events import Json
from lgwatch.values.limits import HEAD, ITEMS, REPR_SECONDS, cut
from lgwatch.values.raw import inherits, module_of, mro, name_of, namespace, qualname, raw, visible
from lgwatch.values.reprs import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lgwatch.values.projection import Projection

Reading: TypeAlias = "Callable[[Projection, Any, int, Plan], Json]"
"""Turns a value, met at a depth, into JSON."""

_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
# Types by id, wherever the type may be anybody's: a metaclass can have a hash and an equality of its own.
_EMPTIABLE: Final = frozenset(map(id, (str, list, dict, tuple, set)))
_C_DESCRIPTORS: Final = (types.GetSetDescriptorType, types.MemberDescriptorType)
_args = BaseException.__dict__["args"].__get__


class Plan:
    """What was found out about a type: its name, where its instances keep their state, and how they are projected."""

    __slots__ = ("beyond", "cls", "is_langgraph", "is_message", "name", "names", "project", "slots", "state")

    def __init__(self, cls: type) -> None:
        self.cls = cls  # held, so that its id is not given to another type
        self.name = name_of(cls)
        state = raw(cls, "__dict__")
        self.state: Any = state.__get__ if type(state) in _C_DESCRIPTORS else None
        self.slots: dict[str, Any] = {
            name: member.__get__
            for base in reversed(mro(cls))
            for name, member in namespace(base).items()
            if type(member) is types.MemberDescriptorType and name[:2] != "__"
        }
        extra = raw(cls, "__pydantic_extra__")
        self.beyond: Any = extra.__get__ if type(extra) is types.MemberDescriptorType else None
        fields = raw(cls, "__dataclass_fields__")
        self.names: list[str] | None = list(fields) if type(fields) is dict else None
        self.is_langgraph = module_of(cls).startswith("langgraph.")
        is_message = any(
            name_of(base) == "BaseMessage" and module_of(base).startswith("langchain_core.") for base in mro(cls)
        )
        self.is_message = is_message and self.state is not None
        self.project: Reading = _message if self.is_message else _kind(cls)

    def fields(self, value: object) -> list[tuple[Any, Any]]:
        """Return what an instance holds, by name, without asking it."""
        state = self.state(value) if self.state else None
        held: dict[Any, Any] = dict.copy(state) if isinstance(state, dict) else {}
        for name, member in self.slots.items():
            try:
                held[name] = member(value)
            except AttributeError:
                continue  # a slot that was never set
        if self.names is not None:
            held = {name: held[name] for name in self.names if name in held}
        extra = self.beyond_of(value)
        if extra:
            held |= extra
        if self.is_langgraph:
            return [(name, item) for name, item in held.items() if not _is_nothing(item)]
        return list(islice(held.items(), ITEMS))

    def beyond_of(self, value: object) -> dict[str, Any] | None:
        """Return what a pydantic model took beyond its fields."""
        try:
            extra = self.beyond(value) if self.beyond else None
        except AttributeError:
            return None
        return extra if type(extra) is dict else None


_PLANS: dict[int, Plan] = {}


def plan_of(cls: type) -> Plan:
    """Return what is known of a type; found out when it is first met."""
    plan = _PLANS.get(id(cls))
    if plan is None:
        if len(_PLANS) >= 4_096:
            _PLANS.clear()
        plan = _PLANS[id(cls)] = Plan(cls)
    return plan


def _kind(cls: type) -> Reading:
    """Return how instances of a type are read, by what they inherit from."""
    if inherits(cls, enum.Enum):  # which may be a str or an int besides
        return _enum
    for base in mro(cls):
        if (project := _BY_BASE.get(id(base))) is not None:
            if base is tuple and type(raw(cls, "_fields")) is tuple:
                return _named_tuple
            return _model if project in _OVERRULED and _has_fields(cls) else project
        if (project := _BY_NAME.get((module_of(base).partition(".")[0], name_of(base)))) is not None:
            return project
    return _model if _has_fields(cls) else _anything


def _has_fields(cls: type) -> bool:
    """Tell whether a type declares what its instances hold."""
    return any(
        raw(cls, mark) is not None for mark in ("__dataclass_fields__", "__pydantic_validator__", "__attrs_attrs__")
    ) or any(
        (name_of(base) == "BaseModel" and module_of(base).startswith("pydantic"))
        or (name_of(base) in {"Send", "Command", "Interrupt", "Overwrite"} and module_of(base) == "langgraph.types")
        for base in mro(cls)
    )


def _is_nothing(value: object) -> bool:
    return value is None or value is False or (id(type(value)) in _EMPTIABLE and not value)


def _anything(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    return projection.keep(projection.repr(value))


def _message(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    def read() -> Json:
        return {"$type": plan.name, "fields": _message_fields(projection, value, depth, plan)}

    return read() if projection.values is None else projection.values.message(projection, value, plan, read)


def _message_fields(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    """Return the fields of a message that say something; its own texts in place, as nothing else repeats them."""
    fields: dict[str, Json] = {}
    for name, item in plan.state(value).copy().items():
        if type(name) is not str or not name.isidentifier():
            pairs = plan.fields(value)
            return projection.mapping(pairs, len(pairs), depth)
        if name == "content" or not (item is None or name == "type" or _is_nothing(item)):
            fields[name] = projection.text(item, inline=True) if type(item) is str else projection.project(item, depth)
    if beyond := plan.beyond_of(value):
        more = projection.mapping(list(beyond.items()), len(beyond), depth)
        fields = {**more, **fields} if "$type" not in more else {**fields, "__pydantic_extra__": more}
    return fields


def _model(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    fields = plan.fields(value)
    return projection.keep({"$type": plan.name, "fields": projection.mapping(fields, len(fields), depth)})


def _named_tuple(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    pairs = list(zip(raw(plan.cls, "_fields"), tuple.__iter__(value), strict=False))
    return projection.keep({"$type": plan.name, "fields": projection.mapping(pairs, len(pairs), depth)})


def _exception(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    args = _args(value)
    if len(args) == 1 and type(args[0]) is str and raw(plan.cls, "__str__") is BaseException.__str__:
        message = args[0]
    else:
        message = ask(str, value, REPR_SECONDS)[0]
    told = {"message": message, "args": args}
    pairs = list((told | dict(plan.fields(value)) | told).items())
    return projection.keep({"$type": plan.name, "fields": projection.mapping(pairs, len(pairs), depth)})


def _str(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    return projection.text(str.__str__(value))


def _int(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    number = int.__int__(value)
    if _SMALLEST <= number <= _LARGEST:
        return number
    bits = number.bit_length()
    if bits <= 2_000:
        return projection.keep({"$type": "int", "value": str(number)})
    # Decimal digits of a huge number cost the square of its size, and Python may refuse them.
    left = bits % 4 + HEAD * 4
    return projection.keep(
        {"$type": "int", "value": f"{number >> max(0, bits - left):#x}", **cut(bits, min(bits, left))}
    )


def _float(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    number = float.__float__(value)
    if number - number == 0:
        return number
    return {"$type": "float", "value": str(number)}


def _size(elements: Sequence[object], size: int) -> int:
    """Return the size of a container whose first elements these are; another thread may have changed it since."""
    return len(elements) if len(elements) < ITEMS else max(size, len(elements))


def _list(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    elements = list.__getitem__(value, slice(0, ITEMS))
    return projection.listing(elements, _size(elements, list.__len__(value)), depth)


def _tuple(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    return projection.listing(tuple.__getitem__(value, slice(0, ITEMS)), tuple.__len__(value), depth)


def _dict(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    return _pairs(projection, dict.items(value), dict.__len__(value), depth)


def _ordered_dict(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    return _pairs(projection, OrderedDict.items(value), dict.__len__(value), depth)


def _pairs(projection: Projection, items: Iterable[tuple[Any, Any]], size: int, depth: int) -> Json:
    pairs = list(items) if size <= ITEMS else list(islice(items, ITEMS))
    return projection.keep(projection.mapping(pairs, _size(pairs, size), depth))


def _mapping_proxy(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    (mapping,) = gc.get_referents(value)  # its own methods would be those of the mapping behind it
    return projection.project(mapping, depth)


def _user_data(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    return projection.project(plan.state(value)["data"], depth)


def _set(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    base = set if inherits(plan.cls, set) else frozenset
    elements = list(islice(base.__iter__(value), ITEMS))
    kinds = set(map(id, map(type, elements)))
    if kinds <= {id(int), id(float)} or kinds == {id(str)}:
        elements.sort()
    size = _size(elements, base.__len__(value))
    return projection.keep({"$type": "set", "items": projection.items(elements, size, depth)})


def _deque(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    elements = list(islice(collections.deque.__iter__(value), ITEMS))
    size = _size(elements, collections.deque.__len__(value))
    return projection.keep({"$type": "deque", "items": projection.items(elements, size, depth)})


def _bytes(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    base: Any = bytes if inherits(plan.cls, bytes) else bytearray
    return _binary(projection, plan, base.__len__(value), bytes(base.__getitem__(value, slice(0, HEAD))))


def _memoryview(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    head = value[:HEAD].tobytes()[:HEAD] if value.ndim == 1 else b""
    return _binary(projection, plan, value.nbytes, head)


def _binary(projection: Projection, plan: Plan, size: int, head: bytes) -> Json:
    data = {"$type": plan.name, "size": size, "head": repr(head)[2:-1]}
    return projection.keep(data if size <= len(head) else {**data, **cut(size, len(head))})


def _enum(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    state = plan.state(value)
    name, member = projection.project(state["_name_"], depth), projection.project(state["_value_"], depth)
    return projection.keep({"$type": plan.name, "name": name, "value": member})


def _written(form: Callable[[Any], str]) -> Reading:
    """Return the reading of a type whose values are told by one word, as `form` writes them."""

    def project(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
        tzinfo = getattr(value, "tzinfo", None) if plan.cls is dt.datetime or plan.cls is dt.time else None
        is_ours = module_of(plan.cls) in _TRUSTED and (tzinfo is None or type(tzinfo) is dt.timezone)
        text = form(value) if is_ours else ask(form, value, REPR_SECONDS)[0]
        return projection.keep({"$type": plan.name, "value": projection.text(visible(text), inline=True)})

    return project


def _qualified(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    if type(value) is types.MethodType:
        value = value.__func__
    is_class = inherits(type(value), type)
    if is_class:
        module, name = module_of(value), qualname(value)
    elif inherits(type(value), types.ModuleType):
        module, name = "", plan.state(value).get("__name__")
    elif type(value) is types.FunctionType or type(value) is types.BuiltinFunctionType:
        module, name = value.__module__, value.__qualname__
    else:
        return projection.keep(projection.repr(value))
    words = [str.__str__(word) for word in (module, name) if isinstance(word, str) and word and word != "builtins"]
    kind = "type" if is_class else plan.name
    return projection.keep({"$type": kind, "name": projection.text(".".join(words), inline=True)})


def _array(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    size, flat = int(raw(plan.cls, "size").__get__(value)), raw(plan.cls, "flat").__get__(value)
    head = projection.items(flat[:16].tolist(), min(size, 16), depth)
    shape, dtype = list(raw(plan.cls, "shape").__get__(value)), str(raw(plan.cls, "dtype").__get__(value))
    data = {"$type": plan.name, "shape": shape, "dtype": dtype[:HEAD], "head": head}
    return projection.keep(data if size <= 16 else {**data, **cut(size, 16)})


def _typed_array(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    size, head = array.array.__len__(value), list(array.array.__getitem__(value, slice(0, 16)))
    data = {"$type": plan.name, "shape": [size], "dtype": raw(plan.cls, "typecode").__get__(value), "head": head}
    return projection.keep(data if size <= 16 else {**data, **cut(size, 16)})


def _view(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    return projection.listing(list(islice(value, ITEMS)), len(value), depth)


def _array_scalar(projection: Projection, value: Any, depth: int, plan: Plan) -> Json:
    item = raw(plan.cls, "item")(value)
    return projection.project(item, depth) if type(item) is not plan.cls else projection.keep(projection.repr(value))


_TRUSTED: Final = frozenset({"datetime", "uuid", "decimal", "_decimal", "pathlib", "pathlib._local", "builtins"})
_BY_BASE: Final[dict[int, Reading]] = {
    id(base): project
    for base, project in (
        (BaseException, _exception),
        (str, _str),
        (int, _int),
        (float, _float),
        (list, _list),
        (tuple, _tuple),
        (OrderedDict, _ordered_dict),
        (dict, _dict),
        (set, _set),
        (frozenset, _set),
        (collections.deque, _deque),
        (type({}.keys()), _view),
        (type({}.values()), _view),
        (type({}.items()), _view),
        (array.array, _typed_array),
        (bytes, _bytes),
        (bytearray, _bytes),
        (memoryview, _memoryview),
        (types.MappingProxyType, _mapping_proxy),
        (types.SimpleNamespace, _model),
        (collections.UserDict, _user_data),
        (collections.UserList, _user_data),
        (collections.UserString, _user_data),
        (dt.datetime, _written(dt.datetime.isoformat)),
        (dt.date, _written(dt.date.isoformat)),
        (dt.time, _written(dt.time.isoformat)),
        (dt.timedelta, _written(dt.timedelta.__str__)),
        (uuid.UUID, _written(uuid.UUID.__str__)),
        (decimal.Decimal, _written(decimal.Decimal.__str__)),
        (pathlib.PurePath, _written(pathlib.PurePath.__str__)),
        (complex, _written(complex.__repr__)),
        (range, _written(range.__repr__)),
        (type, _qualified),
        (types.ModuleType, _qualified),
        (types.FunctionType, _qualified),
        (types.BuiltinFunctionType, _qualified),
        (types.MethodType, _qualified),
    )
}
_BY_NAME: Final[dict[tuple[str, str], Reading]] = {("numpy", "ndarray"): _array, ("numpy", "generic"): _array_scalar}
_OVERRULED: Final = frozenset({_exception})
"""Readings that the fields of a dataclass with such a base say more than."""
