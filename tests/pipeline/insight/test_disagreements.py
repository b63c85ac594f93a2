from parsers import Decision, Disposition, Period, Policy
from parsers.chain import Explanation, Step
from pipeline.insight import disagreements as module
from pipeline.insight.disagreements import disagreements
from pipeline.insight.open_texts import OpenText

POLICY = Policy()


def test_the_order_protects_a_refusal_from_its_halfday_word():
    texts = [
        OpenText("예약자 김하늘 오전 10시는 안돼요", 2, reviewed=False),
        OpenText("오전 10시엔 안돼요", 7, reviewed=False),
        OpenText("오후 3시", 90, reviewed=False),
        OpenText(None, 4, reviewed=False),
    ]
    [found] = disagreements(texts, POLICY)
    assert (found.auto, found.parser, found.said) == (False, "negation", "negation")
    assert (found.overruled, found.instead) == ("unexplained", "MORNING?")
    assert (found.rows, found.texts, found.example) == (9, 2, "오전 10시엔 안돼요")


def test_examples_are_masked():
    [found] = disagreements([OpenText("예약자 김하늘 오전 10시는 안돼요", 2, reviewed=False)], POLICY)
    assert "김하늘" not in found.example


def test_what_is_decided_alone_against_another_half_comes_first(monkeypatch):
    def decision(period, disposition=Disposition.AUTO):
        return Decision(disposition, period, None, None, 0.9, "rule", None)

    def explained(raw, _policy):
        review = decision(Period.MORNING, Disposition.REVIEW)
        said = {
            "auto": [("one", decision(Period.MORNING)), ("two", None), ("three", decision(Period.AFTERNOON))],
            "agree": [("one", decision(Period.MORNING)), ("three", decision(Period.MORNING))],
            "silent": [("one", decision(Period.MORNING)), ("three", decision(None, Disposition.REVIEW))],
            "review": [("one", review), ("three", decision(Period.AFTERNOON))],
        }[raw]
        steps = tuple(Step(*step) for step in said)
        return Explanation(raw, raw, (), "", (), steps, said[0][1])

    monkeypatch.setattr(module, "explain", explained)
    texts = [
        OpenText(raw, rows, reviewed=False) for raw, rows in (("review", 9), ("agree", 8), ("silent", 7), ("auto", 1))
    ]
    found = disagreements(texts, POLICY)
    assert [(line.auto, line.said, line.instead, line.rows) for line in found] == [
        (True, "MORNING", "AFTERNOON", 1),
        (False, "MORNING?", "AFTERNOON", 9),
    ]
