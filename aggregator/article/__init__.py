"""From the bytes of an article page to what it says: the only package with trafilatura.

It runs in a child process (`sandbox`): a page may cost its readers minutes. Libraries
for pages are loaded at the first one, since most cycles read none. No network, no clock
and no topic may enter.
"""

from aggregator.article.page import read

__all__ = ["read"]
