#!/usr/bin/env python3
"""Shows that the model's rules bite: breaks src/sync in one place at a time, and expects both the random and the
exhaustive run to find a broken rule; the random run alone where operations (10) or idle waits (11) are broken.

  tests/mutants/run.py [WORD...]    only the mutants whose text contains one of the words
                                    (CXX: the compiler, by default g++)

Ends with 1 if a mutant survives, or if the text that it replaces is no longer found exactly once."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]

# Rule, file, text, replacement.
MUTANTS = [
    (1, "ledger.cpp", "if (now.steady < e.forget_at)\n            return; // stale", "if (false)\n            return;"),
    (1, "ledger.cpp", "} else if (news.kind == event_kind::ended) {", "} else if (false) {"),
    (1, "ledger.cpp", "    out.push_back(tell(e, event_kind::started, !seen, now));",
     "    if (news.kind != event_kind::ended)\n        out.push_back(tell(e, event_kind::started, !seen, now));"),
    (1, "ledger.cpp", "} else if (e && e->is == state::seen_ended) {", "} else if (false) {"),
    (1, "ledger.cpp", "e->forget_at <= requested) {", "false) {"),
    (1, "ledger.cpp", "        if (changed)\n            out", "        if (true)\n            out"),
    (2, "ledger.cpp", "e->last_event <= requested - limits_.grace", "e->last_event <= requested"),
    (2, "ledger.cpp", "snapshot{requested, now.steady + limits_.grace, false}", "snapshot{requested, now.steady, false}"),
    (2, "ledger.cpp", "if (unsettled_ && number == snapshots_)", "if (unsettled_)"),
    (2, "ledger.cpp", "ever_listed && e.missing >= 2", "ever_listed && e.missing >= 1"),
    (2, "ledger.cpp", "ever_listed && e.missing >= 2", "e.missing >= 2"),
    (2, "ledger.cpp", "|| e.last_event >= requested)", "|| false)"),
    (2, "ledger.cpp", "e.since < requested) {", "true) {"),
    (2, "ledger.cpp", "    in_gap_ = true;\n", ""),
    (2, "ledger.cpp", "    requested_.reset();\n    unsettled_.reset();\n}", "    requested_.reset();\n}"),
    (2, "ledger.cpp", "        partial_ = true;\n        reopen", "        reopen"),
    (2, "ledger.cpp", "&& !in_grace(now.steady))\n        partial_ = true", "&& !in_grace(now.steady))\n        partial_ = false"),
    (3, "mailbox.cpp", "pending_update_.insert(life, taken_ + count_);", "{}"),
    (3, "mailbox.cpp", "bytes_ -= cost(m.event);\n                ++conflated_;", "bytes_ -= cost(m.event);"),
    (3, "mailbox.cpp", "std::swap(*pending, m.event);", ""),
    (3, "mailbox.cpp", "    conflating_ = false;\n", ""),
    (3, "mailbox.cpp", "count_ + 1 < limits_.conflate_after", "true"),
    (3, "mailbox.cpp", "bytes >= limits_.bytes / 2", "bytes >= limits_.bytes"),
    (3, "mailbox.cpp", "known_.empty() && !conflating_ && !overflowed_", "known_.empty() && !overflowed_"),
    (4, "mailbox.cpp", "known_.empty() && !conflating_ && !overflowed_", "known_.empty() && !conflating_"),
    (8, "mailbox.cpp", "!filtered_ && known_.empty() && !conflating_", "known_.empty() && !conflating_"),
    (3, "mailbox.cpp", "!filtered_ && known_.empty() && !conflating_", "!filtered_ && !conflating_"),
    (3, "mailbox.cpp", "count_ >= limits_.conflate_after ||", "count_ > limits_.conflate_after ||"),
    (3, "mailbox.cpp", "*pending = std::forward<Event>(event);", ""),
    (3, "mailbox.cpp", "|| requested < known_since_)", ")"),
    (3, "mailbox.cpp", "        return hearing::as_update;", "        return hearing::as_it_is;"),
    (3, "ledger.cpp", "return a.life < b.life;", "return a.life > b.life;"),
    (4, "ledger.cpp", "full_ = full_ || bytes_ > limits_.bytes;", ""),
    (4, "ledger.cpp", "if (ends_.count > limits_.remembered_ends)", "if (false)"),
    (4, "mailbox.cpp", "bytes_ - less + more > limits_.bytes", "false"),
    (4, "mailbox.cpp", "bytes_ - less + more > limits_.bytes", "bytes_ + more > limits_.bytes"),
    (4, "mailbox.cpp", "    if (overflowed_)\n        return;\n", ""),
    (7, "merge.cpp", "if (news.context || news.context_left_out)", "if (live || news.context || news.context_left_out)"),
    (7, "merge.cpp", "*news.progress == -1 ? std::optional<int>() : news.progress", "news.progress"),
    (7, "ledger.cpp", "switch (news.kind) {", "switch (e.current.progress() == 100 ? event_kind::ended : news.kind) {"),
    (8, "filter_match.cpp", "result = answer::not_yet_known;", "result = answer::yes;"),
    (8, "mailbox.cpp", "if (bool* const told = told_.find(m.life)) {",
     "if (bool* const told = told_.find(m.life); told && match(filter_, m.event.activity) == answer::yes) {"),
    (8, "mailbox.cpp", "return first ? hearing::as_it_is : hearing::as_start;", "return hearing::as_it_is;"),
    (8, "mailbox.cpp", "    if (last)\n        return hearing::as_start_and_end;\n", ""),
    (10, "pursuit.cpp", "return !c.older || terms_.or_running;", "return true;"),
    (10, "pursuit.cpp", "first.older = !sent_ || goes_on(m.event);", "first.older = !sent_;"),
    (10, "pursuit.cpp", "if (!named_.empty()) {\n        auto", "if (false) {\n        auto"),
    (10, "pursuit.cpp", "candidates_.rbegin(), candidates_.rend(), has_name);\n        if (found != candidates_.rend())",
     "candidates_.begin(), candidates_.end(), has_name);\n        if (found != candidates_.end())"),
    (10, "pursuit.cpp", "adopt(std::move(*found), true);", "adopt(std::move(*found), false);"),
    (10, "pursuit.cpp", "    if (found != candidates_.end())\n        adopt(std::move(*found), true);\n    else\n        nothing", "    nothing"),
    (10, "pursuit.cpp", "if (!from || requested < *from)", "if (!from)"),
    (10, "pursuit.cpp", "if (result_ || life_ || late_ || !replied_at_)", "if (result_ || life_ || !replied_at_)"),
    (10, "pursuit.cpp", "gap_ ? outcome_kind::vanished : outcome_kind::not_started", "outcome_kind::not_started"),
    (10, "pursuit.cpp", "gap_ = gap_ || polled;", ""),
    (10, "pursuit.hpp", "gap_ = gap_ || sent_;", ""),
    (10, "pursuit.hpp", "gap_ = gap_ || sent_;", "gap_ = true;"),
    (10, "pursuit.cpp", "known->matches = known->matches || match", "known->matches = match"),
    (10, "pursuit.cpp", "if (!sent_ || (replied_at_", "if (!replied_at_ || (replied_at_"),
    (10, "pursuit.cpp", "auto found = std::find_if(candidates_.begin(), candidates_.end(), is_new_match);",
     "auto found = candidates_.end();\n    for (auto c = candidates_.begin(); c != candidates_.end(); ++c)\n"
     "        if (is_new_match(*c))\n            found = c;"),
    (10, "pursuit.cpp", "candidates_.end(), is_new_match);", "candidates_.end(), is_match);"),
    (10, "pursuit.cpp", "if (std::any_of(candidates_.begin(), candidates_.end(), may_match))", "if (false)"),
    (10, "pursuit.cpp", "first.in_time = !late_;", "first.in_time = true;"),
    (10, "pursuit.cpp", "    if (c.update)\n        follow(*c.update);\n", ""),
    (10, "pursuit.cpp", "event.inferred ? outcome_kind::vanished : outcome_kind::ended", "outcome_kind::ended"),
    (10, "pursuit.cpp", "    if (replied_at_)\n        choose();\n    else", "    if (replied_at_ && known->end)\n        choose();\n    else"),
    (11, "idleness.cpp", "l.until = now + benefit;", "l.until = now;"),
    (11, "idleness.cpp", "quiet && requested >= *quiet", "quiet && now >= *quiet"),
    (11, "idleness.hpp", "{ live_since_.reset(); }", "{}"),
    (11, "idleness.cpp", "std::max(quiet_since_, *live_since_)", "quiet_since_"),
    (11, "idleness.cpp", "        live_since_ = now;\n        return;", "        live_since_ = now;"),
    (11, "idleness.cpp", "        live_since_ = now;\n        return;", "        live_since_ = requested;\n        return;"),
    (11, "idleness.cpp", "    if (known != busy_.end() && !known->until)\n        return;", ""),
    (11, "idleness.cpp", "known->until.reset();", ""),
    (11, "idleness.cpp", "if (match(wanted_, m.event.activity) == answer::yes)", "if (false)"),
    (11, "idleness.cpp", "l->until ? std::min(*l->until, now) : now", "now"),
    (11, "idleness.cpp", "l->until ? std::min(*l->until, now) : now", "l->until ? *l->until : now"),
    (11, "idleness.cpp", "        since = std::max(since, *l.until);\n", ""),
    (11, "idleness.cpp", "return quiet_at() != before;", "return false;"),
    (11, "patience.cpp", "if (now >= until) {", "if (now > until) {"),
    (11, "patience.cpp", "s.wake_at = until;", "s.wake_at = time_point::max();"),
    (11, "patience.cpp", "std::min(until, *list_wanted_at)", "*list_wanted_at"),
    (11, "patience.cpp", "std::min(until, *list_wanted_at)", "until"),
    (11, "patience.cpp", "asked_for_ != list_wanted_at", "!asked_for_"),
    (11, "patience.cpp", "        asked_for_ = list_wanted_at;\n        s.ask", "        s.ask"),
    (11, "patience.cpp", "s.ask_for_list = true;", ""),
    (10, "pursuit.cpp", "    is_news_ = true;\n    found_", "    found_"),
]

TESTS = ["model_random_test", "model_exhaustive_test"]


def tests_for(rule):
    return TESTS[:1] if rule >= 10 else TESTS


def compiled_from(scratch, name):
    """What a mutant of src/sync/`name` changes."""
    path = scratch / "src" / "sync" / name
    if path.suffix == ".hpp":
        return [path.with_suffix(".cpp"), scratch / "tests" / "unit" / "model_random_test.cpp"]
    return [path]


def compile_one(scratch, source):
    obj = scratch / (source.stem + ".o")
    command = [os.environ.get("CXX", "g++"), "-std=c++20", "-O1", "-w", "-DBOOST_ASIO_NO_DEPRECATED",
               *(f"-I{scratch / part}" for part in ("include", "src", "tests")), "-c", str(source), "-o", str(obj)]
    subprocess.run(command, check=True)
    return obj


def link(objects, program):
    subprocess.run([os.environ.get("CXX", "g++"), *map(str, objects), "-lboost_json", "-o", str(program)], check=True)


def verdict(program, test):
    """The rule that the run found broken, or that it crashed; None if it found nothing; if it failed otherwise, how."""
    done = subprocess.run([program, f"[#{test}]", "--filenames-as-tags"], capture_output=True, text=True)
    if done.returncode == 0:
        return None
    if broken := re.search(r"rule \d+:[^\n]*(?:\n  \S[^\n]*)?", done.stdout):
        return broken.group(0).replace("\n ", "")
    if "fatal error condition" in done.stdout or done.returncode < 0:
        return "rule unknown: it crashes"
    return f"status {done.returncode}, no rule named: {done.stdout[-300:]}{done.stderr[-300:]}"


def main(words):
    failures = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        scratch = pathlib.Path(folder)
        for part in ("include", "src", "tests"):
            shutil.copytree(TOP / part, scratch / part)
        sync = scratch / "src" / "sync"
        core = [scratch / "src" / name for name in ("activity.cpp", "block_recycler.cpp", "json.cpp", "protocol/json_text.cpp", "protocol/utf8.cpp")]
        sources = [*core, *sorted(sync.glob("*.cpp")), scratch / "tests" / "main.cpp",
                   *(scratch / "tests" / "unit" / f"{test}.cpp" for test in TESTS)]
        objects = {source.name: compile_one(scratch, source) for source in sources}
        program = scratch / "model"
        link(objects.values(), program)
        for test in TESTS:
            if how := verdict(program, test):
                print(f"without any mutant {test} finds: {how}")
                return 1

        for rule, name, text, replacement in MUTANTS:
            label = f"rule {rule}, {name}: {text.strip()!r} -> {replacement.strip()!r}"
            if words and not any(word in label for word in words):
                continue
            begun = time.monotonic()
            original = (sync / name).read_text()
            if original.count(text) != 1:
                print(f"LOST      {label}: its text occurs {original.count(text)} times", flush=True)
                failures += 1
                continue
            (sync / name).write_text(original.replace(text, replacement))
            for source in compiled_from(scratch, name):
                compile_one(scratch, source)
            (sync / name).write_text(original)
            link(objects.values(), program)
            found = {test: verdict(program, test) for test in tests_for(rule)}
            for source in compiled_from(scratch, name):
                compile_one(scratch, source)
            survived = [test for test, how in found.items() if how is None or not how.startswith("rule")]
            failures += 1 if survived else 0
            print(f"{'SURVIVED' if survived else 'found'}  {label} ({time.monotonic() - begun:.1f} s)", flush=True)
            for test, how in found.items():
                print(f"    {test}: {how or 'nothing'}", flush=True)
    print(f"{failures} failed" if failures else "every mutant was found")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
