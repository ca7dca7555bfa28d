"""A call of the portal again, when another try may help and surely ends in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_result

from lienthong.exchange.answer import Answer
from lienthong.exchange.settings import PortalSettings

T = TypeVar("T")


def repeat(
    once: Callable[[], T],
    *,
    again: Callable[[T], bool],
    said: Callable[[T], Answer],
    lasts: Callable[[float], bool],
    settings: PortalSettings,
    sleep: Callable[[float], None],
) -> T:
    """What `once` comes to; tried `again` with growing waits, at most `max_attempts` times. The last result is returned
    as it is; what `once` raises is raised.

    `said`: the portal's answer in a result. `lasts`: whether a call that begins after so many seconds surely ends in
    time. A Retry-After replaces the growing wait: it is waited for where the next call is made.
    """

    def asked(state: RetryCallState) -> bool:
        return state.outcome is not None and said(state.outcome.result()).retry_after_s is not None

    def enough(state: RetryCallState) -> bool:
        tries = state.attempt_number
        wait = settings.retry_after_max_s if asked(state) else settings.backoff(tries)
        return tries >= settings.max_attempts or not lasts(wait)

    def pause(wait: float) -> None:
        if wait:
            sleep(wait)

    return Retrying(
        retry=retry_if_result(again),
        stop=enough,
        wait=lambda state: 0.0 if asked(state) else settings.backoff(state.attempt_number),
        sleep=pause,
        retry_error_callback=_last_result,
    )(once)


def _last_result(state: RetryCallState) -> Any:
    assert state.outcome is not None
    return state.outcome.result()
