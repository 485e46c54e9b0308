#!/usr/bin/env python3
"""The man page and the completion of shells, which are made from the same source as --help, as groff, mandoc, bash and
zsh take them."""

import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time

from command_case import LIMIT, PROGRAM, CommandCase, main
from stand_ins import Folder

PAGES = pathlib.Path(PROGRAM or "").resolve().parent
COMMANDS = ["list", "watch", "cancel", "scan", "run", "wait", "doctor", "record", "demo"]


class PagesCase(CommandCase):
    def program(self, name):
        found = shutil.which(name)
        self.assertIsNotNone(found, f"{name} is missing: tests/run.sh installs it")
        return found

    def help_of(self, *command):
        return self.assert_done(self.run_command(*command, "--help"))

    def options_of(self, *command):
        """Those that its help lists."""
        return set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", self.help_of(*command), re.M))


class ManPage(PagesCase):
    page = PAGES / "plex-activities.1"

    def said_by(self, *command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT,
                              env=self.environment(LC_ALL="C.UTF-8"))
        return done.stdout, done.stderr

    def test_groff_and_mandoc_have_nothing_to_complain_of(self):
        self.assertEqual(self.said_by(self.program("groff"), "-ww", "-b", "-z", "-man", "-Tutf8", self.page), ("", ""))
        complaints, _ = self.said_by(self.program("mandoc"), "-Tlint", "-Wwarning", self.page)
        # It has no date, so that the same sources make the same page on any day.
        self.assertEqual([line for line in complaints.splitlines() if "missing date" not in line], [])

    def test_it_has_all_that_help_says(self):
        shown, _ = self.said_by(self.program("groff"), "-man", "-Tascii", "-P-cbou", "-rLL=300n", self.page)
        shown = " ".join(shown.split())
        for command in [], *([name] for name in COMMANDS):
            said = self.help_of(*command)
            for option in self.options_of(*command):
                self.assertIn(option, shown)
            for text in re.findall(r"^(?:  \S.*?)?(?:  +)(\S.*)$", said, re.M):  # each line of a description
                self.assertIn(" ".join(text.split()), shown)


class Shell(PagesCase):
    """A shell on a terminal, in a folder with files to complete, where `plex-activities` tells its arguments."""

    TAB = "\t"
    ALL = "\x1b*"  # inserts all that is possible

    def begin(self, folder, environment, *command):
        stub = folder.file("plex-activities", "#!/bin/sh\nfor a; do printf 'argument:%s\\n' \"$a\"; done\necho the-end\n")
        os.chmod(stub, 0o755)
        for name in ("session.jsonl", "secret"):
            folder.file(name, "")
        self.terminal, side = pty.openpty()
        self.addCleanup(os.close, self.terminal)
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 1000, 0, 0))
        path = folder.path + ":" + os.environ["PATH"]
        process = subprocess.Popen(
            [self.program(command[0]), *command[1:]], stdin=side, stdout=side, stderr=side, start_new_session=True,
            cwd=folder.path, env=self.environment(PATH=path, HOME=folder.path, TERM="dumb", LC_ALL="C.UTF-8", **environment),
            preexec_fn=lambda: fcntl.ioctl(side, termios.TIOCSCTTY, 0))
        os.close(side)

        def end():
            process.kill()
            process.wait()
        self.addCleanup(end)
        self.seen = ""
        self.read_to("ready> ")

    def read_to(self, end):
        until = time.monotonic() + LIMIT
        while end not in self.seen:
            self.assertTrue(select.select([self.terminal], [], [], max(0, until - time.monotonic()))[0], self.seen)
            try:
                data = os.read(self.terminal, 65536)
            except OSError:
                data = b""
            self.assertTrue(data, f"the shell has gone: {self.seen}")
            self.seen += data.decode(errors="replace")
        before, _, self.seen = self.seen.partition(end)
        return before

    def arguments(self, line, key):
        """With which the command is called once `key` has completed the line."""
        os.write(self.terminal, (line + key + "\n").encode())
        shown = self.read_to("the-end")
        self.read_to("ready> ")
        # zsh leaves the sign behind an option that wants its value.
        return [argument.removesuffix("=") for argument in re.findall(r"^argument:(.*?)\r?$", shown, re.M)]

    def check(self):
        call = "plex-activities "
        self.assertEqual(self.arguments(call + "wat", self.TAB), ["watch"])
        self.assertEqual(sorted(self.arguments(call, self.ALL)), sorted(COMMANDS))
        everywhere = self.options_of()
        for command in COMMANDS:
            with self.subTest(command):
                offered = self.arguments(call + command + " --", self.ALL)
                self.assertEqual(set(offered[1:]), everywhere | self.options_of(command))
        self.assertEqual(set(self.arguments(call + "--tok", self.ALL)), {"--token", "--token-file"})
        self.assertEqual(self.arguments(call + "watch --transp", self.TAB), ["watch", "--transport"])
        self.assertEqual(self.arguments(call + "watch --transport we", self.TAB), ["watch", "--transport", "websocket"])
        self.assertEqual(self.arguments(call + "watch --transport=we", self.TAB), ["watch", "--transport=websocket"])
        self.assertEqual(self.arguments(call + "run P", self.ALL), ["run", "POST", "PUT"])
        self.assertEqual(self.arguments(call + "run PUT P", self.TAB), ["run", "PUT", "P"])
        self.assertEqual(self.arguments(call + "record se", self.ALL), ["record", "secret", "session.jsonl"])
        self.assertEqual(self.arguments(call + "--token-file sec", self.TAB), ["--token-file", "secret"])
        self.assertEqual(self.arguments(call + "demo --replay ses", self.TAB), ["demo", "--replay", "session.jsonl"])
        # Files are not offered where none belong.
        for line in ("cancel sec", "scan sec", "--server sec", "watch --type sec", "list sec"):
            with self.subTest(line):
                self.assertEqual(self.arguments(call + line, self.TAB), line.split())
        # Behind options of all commands, and values with what bash takes for the end of a word.
        before = "--json --server http://host:32400 --token=a:b "
        self.assertEqual(self.arguments(call + before + "run D", self.TAB), [*before.split(), "run", "DELETE"])
        self.assertEqual(self.arguments("true && " + call + "wat", self.TAB), ["watch"])
        self.assertEqual(self.arguments("PLEX_URL=http://host:1 " + call + "wat", self.TAB), ["watch"])

    def test_bash_completes(self):
        with Folder() as folder:
            rc = folder.file("rc", f"PS1='ready> '\nbind 'set bell-style none'\nsource {PAGES}/plex-activities.bash\n")
            self.begin(folder, {}, "bash", "--noprofile", "--rcfile", rc, "-i")
            self.check()

    def test_zsh_completes(self):
        with Folder() as folder:
            folder.file(".zshrc", f"""
                unsetopt prompt_sp zle_bracketed_paste 2>/dev/null
                fpath=({PAGES} $fpath)
                autoload -Uz compinit && compinit -u -D
                zle -C all-matches complete-word _generic
                bindkey -e
                bindkey '\\e*' all-matches
                zstyle ':completion:all-matches::::' completer _all_matches _complete
                zstyle ':completion:all-matches:*' insert true
                PS1='ready> '
                """)
            self.begin(folder, {"ZDOTDIR": folder.path}, "zsh", "-d", "-i")
            self.check()
            self.assertNotIn("--token-file", self.arguments("plex-activities list --token x --", self.ALL))


if __name__ == "__main__":
    main()
