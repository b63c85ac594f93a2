"""Read texts with the named libraries and print how long each took and what it would decide.

    python -m benchmarks.readers NAME... < texts.json

One JSON object on stdout: name -> {"seconds": CPU seconds, "periods": one of MORNING, AFTERNOON, null a text}. Each
runs alone on one core, in whichever environment has it. A peer decides by the time of day that it finds, before noon or
after; where it finds times in both halves it decides nothing, so it is not held to have guessed.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

Reader = Callable[[str], str | None]
_CLINIC = timezone(timedelta(hours=9))
# Tables load at the first text of a language: a day at three in all that any reader knows.
_FIRST = (
    "오후 3시", "3:00 PM", "2025-12-01T15:00:00+09:00", "?", "월요일 15:00", "monday 15:00", "月曜日 15:00",
    "星期一 15:00", "lundi 15:00", "dienstag 15:00", "lunes 15:00", "lunedì 15:00", "segunda-feira 15:00",
    "понедельник 15:00", "thứ hai 15:00", "วันจันทร์ 15:00", "senin 15:00", "pazartesi 15:00", "الاثنين 15:00",
    "даваа 15:00",
)  # fmt: skip
_BASE = datetime(2025, 11, 3, 5, 43)  # noqa: DTZ001 - peers want naive times; 05:43 shows that no time was found


def _ojeon() -> Reader:
    from parsers import Disposition, Policy, decide  # noqa: PLC0415 - each reader's library is in one environment only

    policy = Policy()

    def read(text: str) -> str | None:
        decision = decide(text, policy)
        return decision.period if decision.disposition == Disposition.AUTO else None

    return read


def _dateparser() -> Reader:
    from dateparser.date import DateDataParser  # noqa: PLC0415

    settings = {"RETURN_TIME_AS_PERIOD": True, "RELATIVE_BASE": _BASE}
    parser = DateDataParser(languages=["ko", "en", "ja", "zh"], settings=settings)

    def read(text: str) -> str | None:
        found = parser.get_date_data(text)
        return _half([found.date_obj]) if found.period == "time" else None

    return read


def _dateutil() -> Reader:
    from dateutil import parser  # noqa: PLC0415

    def read(text: str) -> str | None:
        found = parser.parse(text, default=_BASE)
        return None if (found.hour, found.minute) == (_BASE.hour, _BASE.minute) else _half([found])

    return read


def _korean_datetime() -> Reader:
    from korean_datetime import parse_time  # noqa: PLC0415

    return lambda text: _half([found]) if (found := parse_time(text)) else None


def _timefhuman() -> Reader:
    from timefhuman import tfhConfig, timefhuman  # noqa: PLC0415

    config = tfhConfig(now=_BASE)
    return lambda text: _half(_flat(timefhuman(text, config=config)))


def _flat(found: Any) -> Iterable[Any]:
    if isinstance(found, (list, tuple)):
        return [moment for part in found for moment in _flat(part)]
    return [found] if hasattr(found, "hour") else []


def _parsedatetime() -> Reader:
    from parsedatetime import Calendar  # noqa: PLC0415

    calendar = Calendar()

    def read(text: str) -> str | None:
        found, kind = calendar.parseDT(text, _BASE)
        return _half([found]) if kind in {2, 3} else None

    return read


def _ctparse() -> Reader:
    import logging  # noqa: PLC0415

    from ctparse import ctparse  # noqa: PLC0415

    logging.disable()

    def read(text: str) -> str | None:
        found = ctparse(text, ts=_BASE)
        moment = found and getattr(found.resolution, "t_from", found.resolution)
        return _half([moment]) if getattr(moment, "hour", None) is not None else None

    return read


def _recognizers_text() -> Reader:
    from recognizers_date_time import Culture, recognize_datetime  # noqa: PLC0415

    def read(text: str) -> str | None:
        found = recognize_datetime(text, Culture.English, reference=_BASE)
        values = [value for match in found for value in (match.resolution or {}).get("values", [])]
        clocks = [value.get("value") or value.get("start") for value in values if "time" in value["type"]]
        hours = [int(clock[-8:-6]) for clock in clocks if clock]
        return _one("MORNING" if hour < 12 else "AFTERNOON" for hour in hours)

    return read


READERS: dict[str, Callable[[], Reader]] = {
    "ojeon": _ojeon,
    "dateparser": _dateparser,
    "python-dateutil": _dateutil,
    "korean-datetime": _korean_datetime,
    "timefhuman": _timefhuman,
    "parsedatetime": _parsedatetime,
    "ctparse": _ctparse,
    "recognizers-text": _recognizers_text,
}


def _half(moments: Iterable[Any]) -> str | None:
    """The half of the clinic's day that all moments lie in."""
    local = (moment.astimezone(_CLINIC) if _aware(moment) else moment for moment in moments)
    return _one("MORNING" if moment.hour < 12 else "AFTERNOON" for moment in local)


def _aware(moment: Any) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None


def _one(periods: Iterable[str]) -> str | None:
    distinct = set(periods)
    return distinct.pop() if len(distinct) == 1 else None


def _silently(read: Reader, text: str) -> str | None:
    """What a reader makes of a text; a library that raises on it has decided nothing."""
    try:
        return read(text)
    except Exception:  # noqa: BLE001 - peers raise whatever they like on texts they cannot read
        return None


def _measured(read: Reader, texts: list[str]) -> dict[str, Any]:
    for text in _FIRST:
        _silently(read, text)
    started = time.process_time()
    periods = [_silently(read, text) for text in texts]
    return {"seconds": time.process_time() - started, "periods": periods}


if __name__ == "__main__":
    to_read = json.load(sys.stdin)
    print(json.dumps({name: _measured(READERS[name](), to_read) for name in sys.argv[1:]}))
