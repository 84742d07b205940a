"""A letter waits for a human: approve it, change it, or throw it away.

Look at the interrupt: the run stops at `review` with the draft in its hand. Answer `approve` or `reject`; any other
text is a wish, and the letter is written again; `{"edit": "…"}` replaces its text. Then write another message: the
thread remembers.
"""

from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, StreamWriter, interrupt

from .scripted import chat_model, pause

EXAMPLE = {
    "messages": [
        {"role": "user", "content": "Write to my landlord: the heating has been out since Monday. Firm, kind."}
    ]
}

FIRST = """\
Subject: The heating, since Monday

Dear Mr Castellani,

the radiators have been cold since Monday morning, and it is now eleven degrees in the kitchen; I know because the \
butter has stopped pretending. Could you send someone by Thursday? I am at home all day and I make good coffee.

If Thursday is not possible, please tell me today, so that I can arrange a heater and send you the bill for it.

With kind regards
from under two blankets"""

SECOND = """\
Subject: Heating out since Monday - repair by Thursday

Dear Mr Castellani,

the heating has been out since Monday and the flat is at eleven degrees. Please have it repaired by Thursday; I am \
at home all day. If that is not possible, let me know today and I will rent a heater at your expense.

Kind regards"""


class Letters(MessagesState, total=False):
    draft: str
    sent: int


def written(messages: list[BaseMessage]) -> str:
    asked = messages[-1].text
    return SECOND if asked.startswith("Again") else FIRST


model = chat_model(written, tags=["letter"], name="secretary", model="offline-large", rate=60)
SYSTEM = SystemMessage("You write short letters. Answer with the letter only: a subject line, then the text.")


def draft(state: Letters, config: RunnableConfig) -> dict[str, Any]:
    message = model.invoke([SYSTEM, *state["messages"]], config)
    return {"messages": [message], "draft": message.text}


def review(state: Letters) -> Command[Literal["draft", "send", "discard"]]:
    answer = interrupt({"question": "Send this letter?", "answers": ["approve", "reject"], "draft": state["draft"]})
    if isinstance(answer, dict) and "edit" in answer:
        return Command(goto="send", update={"draft": str(answer["edit"])})
    match str(answer).strip().lower():
        case "approve" | "yes" | "y" | "true":
            return Command(goto="send")
        case "reject" | "no" | "n" | "false":
            return Command(goto="discard")
    return Command(goto="draft", update={"messages": [HumanMessage(f"Again, please: {answer}")]})


def send(state: Letters, writer: StreamWriter) -> dict[str, Any]:
    for stage in ("signed", "sealed", "delivered"):
        pause(0.35)
        writer({"letter": stage})
    sent = state.get("sent", 0) + 1
    return {"messages": [AIMessage(f"Sent. That makes {sent} so far.")], "sent": sent}


def discard(state: Letters) -> dict[str, Any]:
    return {"messages": [AIMessage("Torn up. Some letters are better not sent.")], "draft": ""}


builder = StateGraph(Letters)
builder.add_node(draft)
builder.add_node(review)
builder.add_node(send)
builder.add_node(discard)
builder.add_edge(START, "draft")
builder.add_edge("draft", "review")
builder.add_edge("send", END)
builder.add_edge("discard", END)
graph = builder.compile(checkpointer=InMemorySaver(), name="approval")
