"""An agent whose tools are another process', by the Model Context Protocol."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from langchain_openai import ChatOpenAI

from tests.endpoint import Answer, Request

SHOP = {"transport": "stdio", "command": sys.executable, "args": [str(Path(__file__).parent / "shop.py")]}


@asynccontextmanager
async def graph() -> AsyncIterator[Any]:
    async with MultiServerMCPClient({"shop": SHOP}).session("shop") as session:  # type: ignore[dict-item]
        yield create_agent(
            ChatOpenAI(model="mock-1", stream_usage=True), await load_mcp_tools(session), name="customer"
        )


def answer(request: Request) -> str | Answer:
    if request.results:
        return "So: " + ", ".join(request.results)
    return Answer(calls=[("price", {"article": "bicycle"}), ("price", {"article": "moon"})])
