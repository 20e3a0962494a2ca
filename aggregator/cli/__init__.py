"""The command line: what people and cron type, and nothing that decides.

stdout is data, stderr is for people. Every command reads its arguments, calls one
function of a room below and shows what came back. No rule of the product may enter.
"""

from aggregator.cli.main import main

__all__ = ["main"]
