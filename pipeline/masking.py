"""Hiding personal data that people wrote beside a time, before a text is shown.

Plain patterns for what occurs in a booking field: telephone, card and resident numbers, e-mail addresses, names behind
a label or before an honorific, accounts and numbers behind a label. A name without either cannot be told from any other
word, so a masked text is safer to show, not anonymous. What a pattern takes for personal data may be a time: only what
is shown is masked, never what is decided.
"""

import re

MASK = "•"

_GAP = r"[\W_]{0,3}"
_SPOKEN = "[공영일이삼사오육륙칠팔구]"
_PHONE = re.compile(
    rf"""(?<!\d)(?:
        (?:\+|00)\s?82 {_GAP} 0?\d{{1,2}} {_GAP} \d{{3,4}} {_GAP} \d{{4}}    # from abroad
      | [0０][1１]\d {_GAP} \d{{3,4}} {_GAP} \d{{4}}                          # mobile
      | [0０]\d{{1,2}} [\s)./-]{{1,3}} \d{{3,4}} [\s./-]{{1,3}} \d{{4}}       # landline, written with gaps
      | 0\s1\s\d (?:[\s./-]{{1,3}}\d){{7,8}}                                  # digit by digit
      | \+[1-9] (?:[\s().-]{{0,2}}\d){{8,13}}?                                # of other countries
    )(?!\d)""",
    re.VERBOSE,
)
_SPELLED_PHONE = re.compile(rf"(?<![가-힣])[공영]일[공영일육륙칠팔구](?:[\s./-]{{0,3}}{_SPOKEN}){{7,8}}")
_CARD = re.compile(r"(?<!\d)\d{4}(?P<gap>[\s-])\d{4}(?P=gap)\d{4}(?P=gap)\d{4}(?!\d)")
# The birth date it begins with tells a resident number from a machine's timestamp of thirteen digits.
_RESIDENT = re.compile(r"(?<!\d)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[\s-]?[1-8]\d{6}(?!\d)")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_WHOLE = (_EMAIL, _RESIDENT, _CARD, _PHONE, _SPELLED_PHONE)

_SET_OFF = r"(?:은|는|이|가)?\s?[:：=-]?\s?"
# What follows a label, or stands before an honorific, without being a name.
_NO_NAME = (
    "오전|오후|아침|점심|저녁|오늘|내일|모레|시간|예약|희망|없음|미정|가능|상담|시술|진료|주말|평일|요일|"
    "아무|언제|상관|방문|동행|동반|인데|이고|원장|부원장|선생|실장|고객|의사|간호사|환자|보호자|"
    "연락|전화|번호|아이디|핸드폰|휴대폰|문자|카톡|또는|혹은"
)
_OF_TIME = "[시분반낮밤날일쯤경후전침녁심오벽말]"  # what words of time end with
_CLOCK = r"(?:[01]?\d|2[0-4]):?[0-5]\d"
_LABELLED = (
    re.compile(
        r"(?P<label>(?:예약자|신청자|환자|보호자|대리인|입금자|고객|성함|성명|이름|name)(?:\s?(?:명|이름|성함))?"
        rf"{_SET_OFF})(?!{_NO_NAME})"
        r"(?P<hidden>[가-힣]{2,4}?(?=이?(?:입니다|이에요|예요|이요|라고)|[^가-힣]|$)|[가-힣]{2,3}"
        r"|[A-Za-z]{2,20}(?:\s[A-Z][a-z]{1,19})?)",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<label>\b(?:mr|mrs|ms|miss)\b\.?\s?)(?P<hidden>[A-Za-z]{2,20})", re.IGNORECASE),
    re.compile(
        r"(?P<label>(?:카카오톡|카톡|카카오|kakao(?:talk)?|인스타(?:그램)?|insta(?:gram)?)\s?(?:id|아이디)?\s?[:：=]?\s?)"
        r"(?!\d{1,2}(?::\d\d)?\s?[ap]\.?m)(?P<hidden>@?(?=[\w.]*[A-Za-z])[A-Za-z0-9_.]{4,30})",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?P<label>(?:연락처|전화번호|전화|핸드폰|휴대폰|휴대전화|폰번호|tel|phone)\.?{_SET_OFF})"
        rf"(?!{_CLOCK}\s?[-~]\s?{_CLOCK}(?!\d))(?P<hidden>\d{{3,4}}[\s.-]?\d{{4}})(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(rf"(?P<label>(?:차트|등록|환자|회원)\s?(?:번호|no\.?){_SET_OFF})(?P<hidden>\d{{3,12}})", re.IGNORECASE),
    re.compile(
        rf"(?P<label>(?:생년월일|생일|birth\s?(?:day|date)){_SET_OFF})"
        r"(?P<hidden>\d{8}(?!\d)|\d{6}(?!\d)|\d{2,4}\s?[년./-]\s?\d{1,2}\s?[월./-]\s?\d{1,2}일?)",
        re.IGNORECASE,
    ),
)
_HONOURED = re.compile(
    rf"(?<![가-힣])(?!(?:{_NO_NAME}|선생|여러분))(?P<hidden>[가-힣]{{2,4}}?)"
    r"(?P<title>\s?(?:고객님|환자분|환자님|회원님|님|씨(?![가-힣])))"
)
_INTRODUCED = re.compile(
    rf"(?<![가-힣])(?!{_NO_NAME})(?P<hidden>[가-힣]{{2,4}}?)(?P<title>(?:이?라고)\s?(?:합니다|해요|하는데요))"
)
# The surnames of nearly all Koreans; two syllables or one behind them make a name.
_SURNAME = (
    "[김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진나지"
    "엄채원천방공현함변염여추도소석선설]"
)
_IS_NAMED = re.compile(
    rf"(?<![가-힣])(?!{_NO_NAME})(?P<hidden>{_SURNAME}[가-힣]{{1,2}})(?<!{_OF_TIME})(?P<title>(?:입니다|이에요|예요)(?![가-힣]))"
)
# A word just before a telephone number, unless it ends as words of time do.
_BESIDE_PHONE = re.compile(
    rf"(?<![가-힣])(?!{_NO_NAME})(?P<hidden>[가-힣]{{2,4}})(?<!{_OF_TIME})"
    rf"(?P<title>\s?[:,/]?\s?{MASK}{{9}})"
)


def mask(text: str) -> str:
    """Replace each character of personal data in ``text`` by a dot; everything else stays as it is.

    What is left after masking shows no more of it: a masked text masked again stays the same.

    >>> mask("예약자 김하늘 010-1234-5678 오후 3시")
    '예약자 ••• ••••••••••••• 오후 3시'
    """
    while (masked := _masked_once(text)) != text:  # hiding one thing may bare the edge of another
        text = masked
    return text


def _masked_once(text: str) -> str:
    for pattern in _WHOLE:
        text = pattern.sub(lambda match: MASK * len(match[0]), text)
    for pattern in _LABELLED:
        text = pattern.sub(lambda match: match["label"] + MASK * len(match["hidden"]), text)
    for pattern in (_HONOURED, _INTRODUCED, _IS_NAMED, _BESIDE_PHONE):
        text = pattern.sub(lambda match: MASK * len(match["hidden"]) + match["title"], text)
    return text
