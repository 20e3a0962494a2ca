"""Where polls run: tasks to batches, batches to a crew, outcomes as they land.

`batches` groups what is to be asked, `flights` sends the batches out and takes what
they bring, and a crew carries them out: threads of this machine (`crews`) or the
workers of a Dask cluster (`cluster` here, `errand` there). Pages are read and links
followed in the same way, by the same rules. Nothing is stored or decided here.
"""

from __future__ import annotations

from aggregator.engine.batches import BATCH, plan
from aggregator.engine.flights import answers, links, outcomes, pages

__all__ = ["BATCH", "answers", "links", "outcomes", "pages", "plan"]
