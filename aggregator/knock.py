"""Published links of one host, asked one after another if they answer: as `read`.

A function of its argument and the network: no clock, no disk, no database, no logging
and no state of its own may enter. What is there is not read, and robots.txt is obeyed
as for pages that are (see `permit`): who forbids us a page is not asked for it.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Final

from aggregator.fault import where
from aggregator.fetch import Fetcher, Turns, lasting, spacing
from aggregator.model import (
    Answer,
    Failure,
    FetchError,
    PageBatch,
    PageTask,
    PausedError,
    StoppedError,
)
from aggregator.permit import Permits, UnknownError
from aggregator.sandbox import SandboxError

_SILENT: Final = 2  # failures to connect after which a host is left alone
_PAUSE: Final = timedelta(hours=1)  # longer than any check lasts


def knock(batch: PageBatch, stop: threading.Event | None = None) -> tuple[Answer, ...]:
    """Return for each address whether it answers, in the order of the batch.

    A host that twice on end cannot be reached is asked nothing more: each try may take
    the whole timeout. stop: once it is set no further request is made. Whatever a
    server does is a value; a failure of kind "ours" is a fault of this program.
    """
    # one that did not come a moment ago is asked for again: it may say what is wrong
    known = tuple(one for one in batch.robots if one.text is not None)
    turns = Turns(spacing(batch.polling), batch.pauses, stop, just_asked=batch.host)
    answers: list[Answer] = []
    silent = 0
    with (
        Fetcher(batch.polling, batch.user_agent, turns) as fetcher,
        Fetcher(batch.polling, batch.user_agent, turns) as asker,
    ):
        permits = Permits(asker, turns, batch.polling, batch.now, known)
        for task in batch.tasks:
            answer = _answer(fetcher, permits, batch, task)
            silent = silent + 1 if _silent(answer) else 0
            if silent == _SILENT:
                until = batch.now + _PAUSE
                turns.pause(batch.host, until)
                answer = replace(answer, not_before=until, paused_host=batch.host)
            answers.append(replace(answer, robots=permits.taken()))
    return tuple(answers)


def _silent(answer: Answer) -> bool:
    """Tell whether nobody answered, and may do so at another time."""
    failure = answer.failure
    if failure is None:
        return False
    return failure.kind == "network" and not lasting(failure.reason)


def _answer(
    fetcher: Fetcher, permits: Permits, batch: PageBatch, task: PageTask
) -> Answer:
    """Return whether one address answers, whatever happens."""
    before = Answer(task.page, batch.now)
    try:
        permits.rules(task.url)  # here, so that asking costs it none of its time
        url = fetcher.reach(
            task.url, now=batch.now, timeout=task.timeout, gate=permits.gate
        )
    except StoppedError:
        answer = replace(before, asked=False)
    except PausedError as exc:
        answer = replace(before, asked=False, not_before=exc.until)
    except UnknownError as exc:
        # a host that has no robots.txt to give has no page either
        answer = _refused(before, exc.refusal or FetchError(str(exc)))
    except FetchError as exc:
        answer = _refused(before, exc)
    except SandboxError as exc:
        answer = replace(before, failure=Failure("limit", str(exc)))
    except Exception as exc:  # noqa: BLE001 - one address must not end the others
        answer = replace(before, failure=Failure("ours", where(exc)))
    else:
        answer = replace(before, url=url)
    return answer


def _refused(before: Answer, exc: FetchError) -> Answer:
    return replace(
        before,
        failure=Failure(exc.kind, str(exc)),
        status=exc.status,
        not_before=exc.not_before,
        paused_host=exc.paused_host,
    )
