"""``manifest.json``: what a run was made of, whether its plan may be applied, and a hash of every file.

It is written last and appears whole or not at all, so a run's folder without it is unfinished. Its last line seals it:
a hash of everything before. That catches slips, editors and damage to any byte; whoever means to forge a plan can seal
it anew, and is kept out by the rights on the folder alone.
"""

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline import workbench
from pipeline.errors import RunError

FILE_NAME = "manifest.json"
FORMAT = 1
_PACKAGES = ("ojeon", "duckdb", "polars", "great-expectations")
MOVES = "moves"
"""The folder inside a run's folder in which apply, verify and undo write what they did; no part of the plan."""
# The workbench goes on changing as people look into it; the manifest is sealed by its last line.
_SEAL_BEGINS, _SEAL_ENDS, _SEAL_LENGTH = b',\n  "seal": "', b'"\n}\n', hashlib.sha256().digest_size * 2
_NOT_HASHED = (FILE_NAME, workbench.FILE_NAME, f"{workbench.FILE_NAME}.wal")


def write(folder: Path, content: Mapping[str, Any]) -> Path:
    """Add versions, the time and the files' hashes to ``content``, seal it and write it into ``folder`` in one move.

    Raises:
        OSError: a file cannot be read or the manifest cannot be written.
    """
    manifest = {
        "format": FORMAT,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **content,
        "versions": {**content.get("versions", {}), **versions()},
        "files": {name: fingerprint(folder / name) for name in _files(folder)},
    }
    path, partial = folder / FILE_NAME, folder / f".{FILE_NAME}.partial"
    try:
        with partial.open("wb") as file:
            file.write(_sealed(json.dumps(manifest, ensure_ascii=False, indent=2)))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def read(folder: Path) -> dict[str, Any]:
    """Read the manifest of a finished run.

    Raises:
        RunError: the run is unfinished, or its manifest is damaged or of another format.
    """
    path = folder / FILE_NAME
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(
            f"{folder} has no {FILE_NAME}: it is not a run's folder, or the run was interrupted. "
            "Start a new run with `ojeon run`."
        ) from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({type(error).__name__}). Start a new run with `ojeon run`.") from error
    if (
        not isinstance(manifest, dict)
        or manifest.get("format") != FORMAT
        or not isinstance(manifest.get("files"), dict)
    ):
        raise RunError(f"{path} is not a manifest of format {FORMAT}. Start a new run with `ojeon run`.")
    return manifest


def verify_files(folder: Path) -> list[str]:
    """Compare the folder with its manifest, and that with its seal.

    Returns:
        One finding per file that was changed, is missing or was added, such as ``updates/0003.sql: changed``;
        an empty list means the folder is as the run left it.

    Raises:
        RunError: the run is unfinished, its manifest is damaged, or a file cannot be read.
    """
    expected = read(folder)["files"]
    try:
        if not _is_sealed((folder / FILE_NAME).read_bytes()):
            return [f"{FILE_NAME}: changed"]  # nothing that it says of the others can be trusted
        found = set(_files(folder))
        findings = {name: "missing" for name in expected if name not in found}
        findings |= {name: "added" for name in found if name not in expected}
        findings |= {
            name: "changed" for name in found if name in expected and fingerprint(folder / name) != expected[name]
        }
    except OSError as error:
        raise RunError(f"The files of {folder} cannot be read: {error.strerror}. Make them readable.") from error
    return [f"{name}: {finding}" for name, finding in sorted(findings.items())]


def _sealed(text: str) -> bytes:
    """The JSON object ``text`` with the hash of everything before as its last member."""
    content = text.removesuffix("\n}").encode() + _SEAL_BEGINS
    return content + hashlib.sha256(content).hexdigest().encode() + _SEAL_ENDS


def _is_sealed(content: bytes) -> bool:
    body = content.removesuffix(_SEAL_ENDS)
    return body[-_SEAL_LENGTH:] == hashlib.sha256(body[:-_SEAL_LENGTH]).hexdigest().encode() and body != content


def settings_hash(settings: Mapping[str, Any]) -> str:
    """Hash settings so that the order of their names does not matter."""
    canonical = json.dumps(settings, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Versions of everything that had a hand in the run."""
    return {"python": platform.python_version(), **{package: version(package) for package in _PACKAGES}}


def fingerprint(path: Path) -> dict[str, Any]:
    """Hash and size of one file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}


def _files(folder: Path) -> list[str]:
    paths = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
    return [name for name in paths if name not in _NOT_HASHED and not name.startswith(f"{MOVES}/")]
