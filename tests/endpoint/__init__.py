"""An OpenAI-compatible server for tests: a script decides what it answers, and every request that it saw is kept.

It speaks as much of the two APIs as a client needs, over real HTTP on 127.0.0.1, with nothing but the standard library.
"""

from tests.endpoint.answers import Answer, Refusal, Request, Script
from tests.endpoint.server import Endpoint

__all__ = ["Answer", "Endpoint", "Refusal", "Request", "Script"]
