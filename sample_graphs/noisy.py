"""Nodes print, log and warn, write to stderr and start a program that prints too.

Look at the console pane: each line carries the node that wrote it, even while `kitchen` and `radio` talk at the same
time, and even where the line comes from a child process. Nothing of it reaches the terminal itself.
"""

import logging
import subprocess
import sys
import warnings
from typing import Any

from langgraph.graph import END, START, StateGraph
from typing_extensions import Required, TypedDict

from .scripted import pause

EXAMPLE = {"guests": 3}

log = logging.getLogger("house")
log.setLevel(logging.INFO)


class House(TypedDict, total=False):
    guests: Required[int]
    supper: str
    news: str
    said: str


def kitchen(state: House) -> dict[str, Any]:
    print(f"Setting the table for {state['guests']}.")
    for minutes in (3, 2, 1):
        pause(0.4)
        log.info("the pasta needs %d more minutes", minutes)
    print("Salt ... ", end="", flush=True)
    pause(0.3)
    print("pepper.")
    pause(0.3)
    log.warning("the oven is at %d degrees", 260)
    return {"supper": "pasta"}


def radio(state: House) -> dict[str, Any]:
    for line in ("-- long wave, 198 kHz --", "Viking, North Utsire: south-westerly five, rain later, good."):
        pause(0.5)
        sys.stderr.write(f"{line}\n")
    pause(0.3)
    warnings.warn("this set was made for 220 volts", UserWarning, stacklevel=1)
    pause(0.3)
    subprocess.run(["echo", "And now the time signal: pip, pip, pip, peep."], check=True)
    return {"news": "rain later"}


def doorbell(state: House) -> dict[str, Any]:
    try:
        int("third floor, left")
    except ValueError:
        log.exception("the guests cannot find the door")
    pause(0.3)
    print("\N{BELL} Ding dong!\nComing!")
    return {"said": f"There is {state['supper']}, and {state['news']}."}


builder = StateGraph(House)
builder.add_node(kitchen)
builder.add_node(radio)
builder.add_node(doorbell)
builder.add_edge(START, "kitchen")
builder.add_edge(START, "radio")
builder.add_edge(["kitchen", "radio"], "doorbell")
builder.add_edge("doorbell", END)
graph = builder.compile(name="noisy")
