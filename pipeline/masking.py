"""Hiding personal data that people wrote beside a time, before a text is shown.

Plain patterns for what occurs in a booking field: telephone and resident numbers, e-mail addresses, names behind a
label or before an honorific. A name without either cannot be told from any other word, so a masked text is safer to
show, not anonymous.
"""

import re

MASK = "•"

_GAP = r"[\W_]{0,3}"
_PHONE = re.compile(
    rf"""(?<!\d)(?:
        (?:\+|00)\s?82 {_GAP} 0?\d{{1,2}} {_GAP} \d{{3,4}} {_GAP} \d{{4}}    # from abroad
      | [0０][1１]\d {_GAP} \d{{3,4}} {_GAP} \d{{4}}                          # mobile
      | [0０]\d{{1,2}} [\s)./-]{{1,3}} \d{{3,4}} [\s./-]{{1,3}} \d{{4}}       # landline, written with gaps
    )(?!\d)""",
    re.VERBOSE,
)
# The birth date it begins with tells a resident number from a machine's timestamp of thirteen digits.
_RESIDENT = re.compile(r"(?<!\d)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[\s-]?[1-8]\d{6}(?!\d)")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
# What follows a label without being a name.
_NO_NAME = "오전|오후|아침|점심|저녁|오늘|내일|모레|시간|예약|희망|없음|미정"
_LABELLED = re.compile(
    r"(?P<label>(?:예약자|신청자|환자|성함|성명|이름|name)(?:\s?(?:명|이름|성함))?(?:은|는|이|가)?\s?[:：=-]?\s?)"
    rf"(?!{_NO_NAME})"
    r"(?P<name>[가-힣]{2,4}?(?=이?(?:입니다|이에요|예요|이요)|[^가-힣]|$)|[가-힣]{2,3}|[A-Za-z]{2,20}(?:\s[A-Z][a-z]{1,19})?)",
    re.IGNORECASE,
)
_HONOURED = re.compile(
    r"(?<![가-힣])(?!원장|부원장|선생|실장|고객|의사|간호사|환자)(?P<name>[가-힣]{2,4})(?P<title>\s?님)"
)


def mask(text: str) -> str:
    """Replace each character of personal data in ``text`` by a dot; everything else stays as it is.

    >>> mask("예약자 김하늘 010-1234-5678 오후 3시")
    '예약자 ••• ••••••••••••• 오후 3시'
    """
    for pattern in (_EMAIL, _RESIDENT, _PHONE):
        text = pattern.sub(lambda match: MASK * len(match[0]), text)
    text = _LABELLED.sub(lambda match: match["label"] + MASK * len(match["name"]), text)
    return _HONOURED.sub(lambda match: MASK * len(match["name"]) + match["title"], text)
