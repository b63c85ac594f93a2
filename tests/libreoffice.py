"""LibreOffice without a window and with a Korean locale, for the tests of what a spreadsheet does to our files."""

import os
import shutil
import subprocess
from pathlib import Path

PACKAGE = "libreoffice-calc-nogui"
_SECONDS_TO_INSTALL = 900
_SECONDS_TO_SAVE = 300
_KOREAN = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>ko-KR</value></prop>
</item>
</oor:items>
"""


class NoLibreOfficeError(Exception):
    """No LibreOffice could be found or installed; the message is the sentence for people."""


def find_libreoffice() -> str:
    """The program; where there is none, the distribution's package is installed.

    Raises:
        NoLibreOfficeError: none is there and none can be installed.
    """
    if not shutil.which("soffice") and os.geteuid() == 0 and shutil.which("apt-get"):
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", PACKAGE]):
            subprocess.run(
                ["apt-get", *arguments],
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=_SECONDS_TO_INSTALL,
                check=False,
            )
    if found := shutil.which("soffice"):
        return found
    raise NoLibreOfficeError(
        f"This test needs LibreOffice: there is no soffice here, and the package {PACKAGE} could not be installed "
        "(takes root, apt-get and a network); install it and test again."
    )


def saved_by(program: str, file: Path, folder: Path, *options: str) -> Path:
    """Let ``program`` open ``file`` as somebody in Korea would and save it under its name into the new ``folder``."""
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_KOREAN, encoding="utf-8")
    command = [program, "--headless", f"-env:UserInstallation={profile.as_uri()}", *options, "--outdir", folder, file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS_TO_SAVE, check=False)
    if done.returncode or not (folder / file.name).is_file():
        raise AssertionError(f"LibreOffice did not save {file.name}: {done.stderr}")
    return folder / file.name
