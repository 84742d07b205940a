"""A research desk: a plan, four questions at once, a critic who wants more, and a report.

Look at everything: the plan is thought through before it is written (`kind:reasoning`); four `research` subgraphs run
side by side, each calls a search tool that reports its progress, and one is told to slow down and tries again; the
critic sends two more questions out; the report streams at the end. Filter with `tag:planner`, `tag:search`,
`tag:critic` or `tag:writer`.
"""

import logging
import operator
import re
from typing import Annotated, Any

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import RetryPolicy, Send, StreamWriter
from typing_extensions import Required, TypedDict

from .scripted import Reply, attempt, chat_model, pause

EXAMPLE = {
    "question": "Why did the Polynesians wait almost two thousand years in Samoa and Tonga, "
    "and then settle half the Pacific in three centuries?"
}

log = logging.getLogger("research")
log.setLevel(logging.INFO)

# ── The script ──────────────────────────────────────────────────────────────────────────────────────────────────────

THOUGHT = """\
The puzzle has two halves: a long wait and a sudden hurry. A good answer has to explain both, or it only moves the \
mystery. First the dates, because if the pause is an artefact of bad radiocarbon there is nothing left to explain. Then \
the three things a voyage needs: wind, a boat, and somewhere to land."""


class Source(TypedDict):
    question: str
    query: str
    hits: list[str]
    finding: str


SOURCES: dict[str, Source] = {
    "dates": {
        "question": "How sure are the dates of the pause and of the hurry?",
        "query": "East Polynesia first settlement radiocarbon short-lived samples",
        "hits": [
            "Wilmshurst et al. 2011, PNAS: 1,434 dates, sorted by reliability",
            "Burley et al. 2012, PLoS ONE: coral files from Tonga, 2838 ± 8 years before present",
        ],
        "finding": "Very sure. Coral tools put the first canoes in Tonga about 2,840 years ago. Of 1,434 dates from the "
        "east, only those on seeds and twigs can be trusted, and they fall together: the Society Islands "
        "around 1025 to 1120, everything else, from Hawaii to New Zealand to Rapa Nui, by about 1290.",
    },
    "winds": {
        "question": "Which winds did the voyagers need, and when did they blow?",
        "query": "climate windows Polynesian voyaging westerlies palaeowind reconstruction",
        "hits": [
            "Goodwin, Browning & Anderson 2014, PNAS: sea-level pressure by decades, 800 to 1600",
            "Anderson et al. 2006, The Holocene: El Niño and the timing of migration",
        ],
        "finding": "The trades blow from the east, in the faces of anyone leaving Samoa. Reconstructed pressure maps "
        "show decades in which the pattern broke: from about 1140 to 1260 a canoe could run downwind all the "
        "way to New Zealand, and for a generation after that towards Rapa Nui. The door opened, and it shut.",
    },
    "canoes": {
        "question": "What could their canoes do, and were they always able to do it?",
        "query": "Anaweka waka voyaging canoe New Zealand plank 1400 double hull",
        "hits": [
            "Johns, Irwin & Sung 2014, PNAS: a six-metre plank with a carved turtle, Anaweka",
            "Irwin & Flay 2015: sailing performance of early rigs, tested in a wind tunnel",
        ],
        "finding": "In 2012 a storm uncovered a plank at Anaweka: six metres of one canoe, ribbed and caulked, with a "
        "sea turtle swimming along it. It is from about 1400 and the equal of anything Cook saw. Older hulls "
        "are lost, so nobody can say when two of them were first lashed together; it may be the missing key.",
    },
    "land": {
        "question": "Was there any land to find before the sea went down?",
        "query": "mid-Holocene highstand atoll habitability Pacific Dickinson",
        "hits": [
            "Dickinson 2003: sea level one to two metres higher until about 1000 CE",
            "Dickinson 2009, GSA Today: Pacific atoll living, how long already and until when",
        ],
        "finding": "Less than there is now. Two thousand years ago the sea stood a metre or two higher, and the "
        "atolls between west and east were reefs with waves on them. As it fell they came up as beaches with "
        "water under the sand: stepping stones that arrived late.",
    },
    "push": {
        "question": "Why leave at all: what changed at home?",
        "query": "Samoa Tonga drought settlement Atiu lake core faecal biomarkers",
        "hits": [
            "Sear et al. 2020, PNAS: lake mud from Atiu, people by about 900, in a long drought",
            "Kirch 2017, On the Road of the Winds, second edition",
        ],
        "finding": "Mud from a lake on Atiu keeps the traces of the first people and their pigs from about 900, in the "
        "driest spell of two thousand years. Water, not adventure, may have started it. Others came to look, "
        "and a century later came to stay.",
    },
    "doubt": {
        "question": "What find would prove this account wrong?",
        "query": "pre-1000 CE human presence East Polynesia evidence critique",
        "hits": [
            "Spriggs & Anderson 1993, Antiquity: late colonization of East Polynesia",
            "Goff et al. 2012, The Holocene: palaeotsunamis and Polynesian settlement",
        ],
        "finding": "One hearth under a beach in the Marquesas, with a seed in it from the year 600. People have looked "
        "for fifty years. But the first camps stood on the shore, and the shore has sunk, or washed away: "
        "absence is what we would see in either case.",
    },
}
FIRST_ROUND = ("dates", "winds", "canoes", "land")
SECOND_ROUND = ("push", "doubt")

REPORT = """\
# The long pause

For some eighteen hundred years the best sailors in the world stayed at home. Then, in the time between a cathedral's \
first stone and its last, they found nearly everything that was left.

## It really happened
The dates are no accident of the laboratory. Coral tools fix the arrival in Tonga; seeds and twigs fix the rush to the \
east. Between them lies a silence that no new method has filled.

## Three locks
A voyage needs a boat, a wind and a beach. The trades blew from the wrong side, and gave way only for some decades at a \
time. The atolls on the way were still under the waves. And the double hull may not have been there yet: of the older \
canoes not one plank is left.

## And a hand on the door
Around 900 the rain failed. Somebody went to look, came home, and was believed. When the wind turned, people already \
knew that there was somewhere to go.

## How this could be wrong
One hearth, one seed, one early date under a beach in the Marquesas. The shore where it should be has sunk, so keep \
the door ajar.

They did not wait for courage. They waited for the sea to come down, for the wind to turn, and for a reason; and when \
all three came at once, they went, with pigs and breadfruit and children, as one goes to a place one knows."""


def about(messages: list[BaseMessage]) -> Source:
    """Return what the script knows about the question that was asked last."""
    asked = next((message.text for message in reversed(messages) if isinstance(message, HumanMessage)), "")
    return next((source for source in SOURCES.values() if source["question"] in asked), SOURCES["doubt"])


def searched(messages: list[BaseMessage]) -> Reply:
    return Reply(calls=[("web_search", {"query": about(messages)["query"], "limit": 2})])


def judged(messages: list[BaseMessage]) -> str:
    if SOURCES["push"]["question"] in messages[-1].text:
        return "Now it has a cause, and a way to be wrong. ENOUGH: let it be written."
    return (
        "Wind, boat and beach explain how they could go. Nobody has asked why they wanted to, or how we might be "
        + ("fooling ourselves. Two more questions:\n" + numbered(SECOND_ROUND))
    )


def numbered(keys: tuple[str, ...]) -> str:
    return "\n".join(f"{number}. {SOURCES[key]['question']}" for number, key in enumerate(keys, start=1))


class RateLimitedError(Exception):
    """The provider asks for less haste."""


# ── The graph ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Finding(TypedDict):
    question: str
    text: str


class Findings(TypedDict, total=False):
    findings: Annotated[list[Finding], operator.add]


class Desk(Findings, total=False):
    question: Required[str]
    open: list[str]
    rounds: int
    report: str


class Desktop(MessagesState, Findings, total=False):
    topic: str


@tool
def web_search(query: str, limit: int = 2) -> str:
    """Search the literature; returns one source a line."""
    write = get_stream_writer()
    hits = next((source["hits"] for source in SOURCES.values() if source["query"] == query), [])
    log.info("searching: %s", query)
    for percent, index in ((15, "titles"), (40, "abstracts"), (75, "full text"), (100, "ranking")):
        pause(0.26 + len(query) % 5 * 0.04)
        write({"phase": "search", "percent": percent, "reading": index, "query": query})
    return "\n".join(hits[:limit]) or "Nothing found. Answer from what you know, and say so."


planner = chat_model(
    Reply(numbered(FIRST_ROUND), reasoning=THOUGHT),
    tags=["planner"], name="planner", model="offline-reasoner", rate=75,
)  # fmt: skip
searcher = chat_model(searched, tags=["search"], name="searcher", rate=50).bind_tools(
    [web_search], tool_choice="web_search"
)
reader = chat_model(lambda messages: about(messages)["finding"], tags=["search"], name="reader", rate=46)
busy_reader = chat_model(
    Reply("The trades blow from the east,", fails=RateLimitedError("429 Too Many Requests: retry after 0.8 s")),
    tags=["search"], name="reader", rate=46,
)  # fmt: skip
critic = chat_model(judged, tags=["critic"], name="critic", model="offline-large", rate=60)
author = chat_model(REPORT, tags=["writer"], name="writer", model="offline-large", rate=88)


def listed(text: str) -> list[str]:
    """Return the items of a numbered list, four at most."""
    return re.findall(r"^\s*\d+[.)]\s*(.+?)\s*$", text, re.MULTILINE)[:4]


def plan(state: Desk, config: RunnableConfig, writer: StreamWriter) -> dict[str, Any]:
    prompt = f"List four short questions, numbered, whose answers together answer this:\n{state['question']}"
    text, known = "", 0
    for chunk in planner.stream(prompt, config):
        text += chunk.text
        # The line after the last newline may still be growing.
        for question in listed(text.rpartition("\n")[0])[known:]:
            known += 1
            writer({"phase": "plan", "question": question})
    questions = listed(text)
    for question in questions[known:]:
        writer({"phase": "plan", "question": question})
    return {"open": questions, "rounds": 0}


def each_question(state: Desk) -> list[Send] | str:
    return [Send("research", {"topic": question}) for question in state["open"]] or "write"


def ask(state: Desktop, config: RunnableConfig) -> dict[str, Any]:
    question = HumanMessage(f"{state['topic']}\nSearch the literature for it first.")
    return {"messages": [question, searcher.invoke([question], config)]}


def read(state: Desktop, config: RunnableConfig, writer: StreamWriter) -> dict[str, Any]:
    number = attempt(config)
    if number > 1:
        log.warning("asked to slow down; attempt %d: %s", number, state["topic"])
    model = busy_reader if number == 1 and state["topic"] == SOURCES["winds"]["question"] else reader
    request = HumanMessage(f"Answer in three sentences, from these sources: {state['topic']}")
    message = model.invoke([*state["messages"], request], config)
    writer({"phase": "read", "words": len(message.text.split()), "question": state["topic"]})
    return {"findings": [Finding(question=state["topic"], text=message.text)]}


def critique(state: Desk, config: RunnableConfig, writer: StreamWriter) -> dict[str, Any]:
    rounds = state["rounds"] + 1
    writer({"phase": "critique", "round": rounds, "findings": len(state["findings"])})
    message = critic.invoke(
        "What is missing? List up to two more questions, numbered, or say ENOUGH.\n\n" + told(state["findings"]), config
    )
    gaps = listed(message.text)[:2] if rounds < 2 else []
    log.info("round %d: %s", rounds, f"{len(gaps)} gaps" if gaps else "nothing is missing")
    return {"open": gaps, "rounds": rounds}


def write(state: Desk, config: RunnableConfig, writer: StreamWriter) -> dict[str, Any]:
    prompt = f"Write a short report in Markdown on: {state['question']}\n\nFindings:\n{told(state['findings'])}"
    text, headings = "", 0
    for chunk in author.stream(prompt, config):
        text += chunk.text
        for heading in re.findall(r"^#+ (.+)\n", text, re.MULTILINE)[headings:]:
            headings += 1
            writer({"phase": "write", "section": heading, "words": len(text.split())})
    log.info("the report has %d words", len(text.split()))
    return {"report": text}


def told(findings: list[Finding]) -> str:
    return "\n\n".join(f"{finding['question']}\n{finding['text']}" for finding in findings)


research = StateGraph(Desktop, output_schema=Findings)
research.add_node(ask)
research.add_node("search", ToolNode([web_search]))
research.add_node(
    read, retry_policy=RetryPolicy(retry_on=RateLimitedError, max_attempts=3, initial_interval=0.8, jitter=False)
)
research.add_edge(START, "ask")
research.add_edge("ask", "search")
research.add_edge("search", "read")
research.add_edge("read", END)

builder = StateGraph(Desk)
builder.add_node(plan)
builder.add_node("research", research.compile(name="research"))
builder.add_node(critique)
builder.add_node(write)
builder.add_edge(START, "plan")
builder.add_conditional_edges("plan", each_question, ["research", "write"])
builder.add_edge("research", "critique")
builder.add_conditional_edges("critique", each_question, ["research", "write"])
builder.add_edge("write", END)
graph = builder.compile(name="research desk")
