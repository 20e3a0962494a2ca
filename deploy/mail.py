"""Mails what a command prints, to $MAILTO; where no mail can go, prints it.

Its first line is the subject where none is given. Needs the standard library and, for
mail, the machine's own sendmail(8), which every mail server and msmtp or nullmailer
bring. Used by the units of this folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from email.message import EmailMessage
from email.policy import SMTP

_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/lib"


def main() -> int:
    """Run the command; return 1 where its text cannot be mailed, else 0.

    A command that ends with a fault has its text told all the same: that is worth most.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subject", default="", help="else the first line")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    ran = subprocess.run(
        given.command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    text = ran.stdout.strip("\n")
    if not text:
        return 0
    subject = given.subject or text.splitlines()[0]
    to, program = os.environ.get("MAILTO", ""), shutil.which("sendmail", path=_PATH)
    if not (to and program):
        sys.stdout.write(f"{subject}\n{text}\n" if given.subject else f"{text}\n")
        return 0
    sent = subprocess.run(
        [program, "-i", "-t"],
        input=letter(to, subject, text),
        check=False,
    )
    return 0 if sent.returncode == 0 else 1


def letter(to: str, subject: str, text: str) -> bytes:
    """Return a mail in which any letter may stand, for `sendmail -t`."""
    mail = EmailMessage(policy=SMTP.clone(linesep="\n"))
    mail["To"] = to
    mail["Subject"] = subject
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notes, please
    mail.set_content(f"{text}\n")
    return mail.as_bytes()


if __name__ == "__main__":
    sys.exit(main())
