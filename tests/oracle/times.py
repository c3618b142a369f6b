"""Dates and times as ISO 8601, by integer arithmetic: Python's own know no year 0 and no nanoseconds."""

from refusal import UNSUPPORTED_VALUE, Refusal

SECONDS_PER_DAY = 86_400

PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def date(days):
    """The date of that many days since 1970."""
    # The Gregorian calendar repeats itself every 146,097 days; years are counted from March, so that leap days
    # come last.
    days += 719_468
    era, day_of_era = divmod(days, 146_097)
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year = era * 400 + year_of_era + (1 if month <= 2 else 0)
    if not 0 <= year <= 9_999:
        raise Refusal(UNSUPPORTED_VALUE)
    return f"{year:04}-{month:02}-{day:02}"


def time_of_day(time, unit):
    """The time that many of `unit` after midnight."""
    seconds, fraction = divmod(time, PER_SECOND[unit])
    if not 0 <= seconds < SECONDS_PER_DAY:
        raise Refusal(UNSUPPORTED_VALUE)
    text = f"{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{fraction:0{DIGITS[unit]}}" if DIGITS[unit] else text


def timestamp(time, unit, in_utc):
    """The time that many of `unit` since 1970."""
    days, of_day = divmod(time, SECONDS_PER_DAY * PER_SECOND[unit])
    return f"{date(days)}T{time_of_day(of_day, unit)}{'Z' if in_utc else ''}"


def date_of_millis(millis):
    """A date in milliseconds, which may hold a time of day."""
    days, of_day = divmod(millis, SECONDS_PER_DAY * 1_000)
    return timestamp(millis, "ms", False) if of_day else date(days)


def interval(months, days, nanos):
    """An interval by ISO 8601, each part with its own sign."""
    years, months = _whole(months, 12)
    minutes, nanos = _whole(nanos, 60 * 10**9)
    hours, minutes = _whole(minutes, 60)
    of_date = "".join(f"{part}{unit}" for part, unit in ((years, "Y"), (months, "M"), (days, "D")) if part)
    of_time = "".join(f"{part}{unit}" for part, unit in ((hours, "H"), (minutes, "M")) if part)
    if nanos:
        seconds, fraction = _whole(abs(nanos), 10**9)
        text = f"{seconds}.{fraction:09}".rstrip("0").rstrip(".")
        of_time += f"{'-' if nanos < 0 else ''}{text}S"
    if of_time:
        return f"P{of_date}T{of_time}"
    return f"P{of_date}" if of_date else "PT0S"


def _whole(value, of):
    """The quotient towards zero, and what is left, with the same sign."""
    quotient = abs(value) // of * (1 if value >= 0 else -1)
    return quotient, value - quotient * of
