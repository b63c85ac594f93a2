"""``audit_sample.csv`` and ``.xlsx``: the texts of the audit for reviewers to judge blind.

They name no decision, no rule and no suggestion, stand in random order, and have no counts of rows: how often a text
occurs says nothing about what it means, and a frequent one must not look the safer for it.
"""

import csv
from pathlib import Path

from pipeline import review_sheet
from pipeline.audit_sample import Sample
from pipeline.review_file import Waiting, guarded, key

FILE_NAME = "audit_sample.csv"
SHEET_NAME = "audit_sample.xlsx"

_GUIDE = (
    "프로그램이 스스로 정한 글 가운데 무작위로 뽑았습니다. 프로그램의 답을 보지 않고 판정해 답이 맞는지 확인합니다.",
    "",
    "1. ‘환자가 적은 글’만 읽고 ‘판정’ 칸에서 오전, 오후, 둘 다 아님 가운데 하나를 고릅니다.",
    "2. {noon}부터 오후입니다. 오전·오후가 적혀 있지 않은 시각은 진료 시간에 맞게 읽습니다.",
    "3. 오전·오후 어느 쪽도 아니거나 글만으로는 알 수 없으면 ‘둘 다 아님’을 고릅니다.",
    "4. 아직 정하지 못했으면 비워 둡니다. 모든 글이 판정되어야 확인이 끝납니다.",
    "5. 까닭을 남기고 싶으면 ‘메모’에 적습니다.",
    "6. 저장한 뒤 받은 곳으로 이 파일을 돌려보냅니다. 나누어 채워도 됩니다.",
    "",
    "• 여러 사람이 판정할 때에는 서로의 답을 보지 않습니다.",
    "• ‘판정’과 ‘메모’만 쓸 수 있고, 읽어 들일 때에도 번호·판정·메모만 봅니다.",
    "• 글에 개인정보가 있을 수 있으니 다른 곳에 보내지 마세요.",
    "",
)


def write(sample: Sample, folder: Path, run_id: str, noon: str) -> None:
    """Write both files into ``folder``; ``noon`` (HH:MM) is told to reviewers as where the afternoon starts.

    Raises:
        OSError: a file cannot be written.
    """
    texts = [
        Waiting(key(run_id, line.raw), line.raw, len(line.raw), line.rows, None, 0.0, None) for line in sample.asked
    ]
    columns = [column.name for column in review_sheet.BLIND]
    with (folder / FILE_NAME).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows((text.key, guarded(text.shown), "", "") for text in texts)
    guide = tuple(line.format(noon=noon) for line in _GUIDE)
    review_sheet.write_book(folder / SHEET_NAME, texts, run_id, columns=review_sheet.BLIND, guide=guide)
