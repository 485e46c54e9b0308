#!/usr/bin/env python3
"""Shows that the unit tests bite: breaks src/sync and src/protocol in one place at a time, and expects that to be found.
In src/sync by the model: both its random and its exhaustive run have to name a broken rule; the random run alone where
operations (10) or idle waits (11) are broken. In src/protocol by the tests of what was broken.

  tests/mutants/run.py [WORD...]    only the mutants whose text contains one of the words
                                    (CXX: the compiler, by default g++)

As many are tried at once as there are processors.

Ends with 1 if a mutant survives, or if the text that it replaces is no longer found exactly once."""

import concurrent.futures
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]

# Rule, file of src/sync, text, replacement.
SYNC = [
    (1, "ledger.cpp", "if (now.steady < e.forget_at)\n            return; // stale", "if (false)\n            return;"),
    (1, "ledger.cpp", "} else if (news.kind == event_kind::ended) {", "} else if (false) {"),
    (1, "ledger.cpp", "    tell(e, event_kind::started, !seen, now, out);",
     "    if (news.kind != event_kind::ended)\n        tell(e, event_kind::started, !seen, now, out);"),
    (1, "ledger.cpp", "} else if (e && e->is == state::seen_ended) {", "} else if (false) {"),
    (1, "ledger.cpp", "e->forget_at <= requested) {", "false) {"),
    (1, "ledger.cpp", "        if (changed)\n            tell", "        if (true)\n            tell"),
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
    (7, "merge.cpp", "news.progress && *news.progress == -1", "false"),
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

FRAMER = ["websocket_framer_test", "websocket_output_test"]
STREAM = ["event_stream_framer_test", "event_stream_random_test"]
DECODER = ["decoder_test", "decoder_recorded_test", "decoder_hostile_test", "json_reader_test"]
DIFFERENTIAL = ["decoder_differential_test"]
UTF8 = ["utf8_test"]
TEXT = ["json_text_test"]
REPLY = ["server_reply_test"]
TARGET = ["request_target_test"]
REQUEST = ["request_text_test"]

# Tests, file of src/protocol, text, replacement.
PROTOCOL = [
    (FRAMER, "websocket_framer.cpp", "length > limit_ - stored_)", "length >= limit_ - stored_)"),
    (FRAMER, "websocket_framer.cpp", "length > limit_ - stored_)", "length > limit_)"),
    (FRAMER, "websocket_framer.cpp", "(form == 127 && length <= 0xffff)", "(form == 127 && length < 0xffff)"),
    (FRAMER, "websocket_framer.cpp", "(form == 126 && length < 126)", "false"),
    (FRAMER, "websocket_framer.cpp", "(header_[1] & length_bits) > 125)", "false)"),
    (FRAMER, "websocket_framer.cpp", "(header_[1] & mask_bit) != 0", "false"),
    (FRAMER, "websocket_framer.cpp", "opcode_ == opcode::continuation && !fragmented_", "false"),
    (FRAMER, "websocket_framer.cpp", "opcode_ != opcode::continuation && fragmented_", "false"),
    (FRAMER, "websocket_framer.cpp", "length >> 63 != 0", "false"),
    (FRAMER, "websocket_framer.cpp", "if (payload.size() == 1) {", "if (false) {"),
    (FRAMER, "websocket_framer.cpp", "    control_size_ = 0;\n", ""),
    (FRAMER, "websocket_framer.cpp", "    fragmented_ = !final_;\n", "    fragmented_ = false;\n"),
    (FRAMER, "websocket_framer.cpp", "key[i % 4]", "key[i % 3]"),
    (FRAMER, "websocket_framer.cpp", "    if (size < 126) {", "    if (size <= 126) {"),
    (FRAMER, "websocket_framer.cpp", "cut_utf8(reason, 123)", "reason.substr(0, 123)"),
    (FRAMER, "websocket_framer.hpp", "length <= limit_ && length", "length"),
    (STREAM, "event_stream_framer.cpp", "value.size() >= limit_ - data_.size()", "value.size() > limit_ - data_.size()"),
    (STREAM, "event_stream_framer.cpp", "line.size() > limit_ - cut_line_", "line.size() >= limit_ - cut_line_"),
    (STREAM, "event_stream_framer.cpp", "        if (*at_ == '\\n')\n            ++at_;", ""),
    (STREAM, "event_stream_framer.cpp", "if (first_line_ && view(line)", "if (view(line)"),
    (STREAM, "event_stream_framer.cpp", "if (!value.empty() && value.front()", "while (!value.empty() && value.front()"),
    (STREAM, "event_stream_framer.cpp", " && view(value).find('\\0') == std::string_view::npos)", ")"),
    (STREAM, "event_stream_framer.cpp", "    if (data_.data() == nullptr) {\n        name_.clear();",
     "    if (data_.data() == nullptr) {"),
    (STREAM, "event_stream_framer.cpp", "name_end == name || !starts_with", "!starts_with"),
    (STREAM, "event_stream_framer.cpp", "last[0] != '\\n' || last[1]", "last[1]"),
    (STREAM, "event_stream_framer.cpp", "std::min(from + std::countr_zero(found), end_)", "from + std::countr_zero(found)"),
    (STREAM, "event_stream_framer.cpp", "            free_storage();\n            return item;", "            return item;"),
    (STREAM, "event_stream_framer.cpp", "    if (!digits.empty()) {", "    {"),
    (DECODER, "decoder.cpp", " || !text.ends_with(\"}}\"))", ")"),
    (DECODER, "decoder.cpp", "repaired_ += message_.repaired();", ""),
    (DECODER, "decoder.cpp", "next_size > 64u << 10", "false"),
    (DECODER, "activity_reader.hpp", "u.uuid.size() > max_name", "u.uuid.size() >= max_name"),
    (DECODER, "activity_reader.hpp", "|| text.size() > room;", "|| text.size() >= room;"),
    (DECODER, "activity_reader.hpp", "            room -= json->size();\n", ""),
    (DECODER, "activity_reader.hpp", "            u.uuid = inner_uuid_;", "            ;"),
    (DECODER, "message_reader.hpp", "            if (*at != 'n') {", "            {"),
    (DECODER, "message_reader.hpp", "activities_.complete(slots_[used_])", "true"),
    (DECODER, "json_reader.hpp", "if (depth == max_depth_)", "if (depth > max_depth_)"),
    (DIFFERENTIAL, "activity_reader.hpp", "understood = u.kind != event_kind::updated || text == \"updated\";",
     "understood = true;"),
    (DIFFERENTIAL, "lenient_scalar.hpp", "(*value != 0 && *value != 1)", "*value < 0"),
    (DIFFERENTIAL, "lenient_scalar.hpp", "|| *value != std::trunc(*value))", ")"),
    (DIFFERENTIAL, "json_reader.cpp", "at = *at == '0' ? at + 1 : skip_digits(at);", "at = skip_digits(at);"),
    (DIFFERENTIAL, "json_sink.hpp", "        if (!separated_)", "        if (false)"),
    (UTF8, "utf8.cpp", "        high = 0x9f;", "        high = 0xbf;"),
    (UTF8, "utf8.cpp", "        high = 0x8f;", "        high = 0x90;"),
    (UTF8, "utf8.cpp", "        low = 0x90;", "        low = 0x80;"),
    (UTF8, "utf8.cpp", "lead != 0xed", "true"),
    (UTF8, "utf8.cpp", "lead < 0xc2 || lead > 0xf4", "lead < 0xc0 || lead > 0xf4"),
    (UTF8, "utf8.cpp", " <= back;\n", " < back;\n"),
    (UTF8, "utf8.cpp", "(c >= 0x202a && c <= 0x202e)", "(c >= 0x202a && c < 0x202e)"),
    (UTF8, "utf8.cpp", "c >= 0x7f && c <= 0x9f", "c >= 0x80 && c <= 0x9f"),
    (TEXT, "json_text.cpp", "return unit >= 0xdc00 && unit < 0xe000;", "return unit > 0xdc00 && unit < 0xe000;"),
    (TEXT, "json_text.cpp", "} else if (c < 0x800) {", "} else if (c <= 0x800) {"),
    (REPLY, "server_reply.cpp", "of_cancel && !unreadable ?", "of_cancel ?"),
    (REPLY, "server_reply.cpp", "entries.size() == most_errors", "false"),
    (REPLY, "server_reply.cpp", "location.find_first_of(\"?#\")", "location.find('#')"),
    (TARGET, "request_target.cpp", "if (dots_alone || harmful)", "if (harmful)"),
    (TARGET, "request_target.cpp", "c == '/' || c == '\\\\' || c == '%'", "c == '/' || c == '\\\\'"),
    (TARGET, "request_target.cpp", "value > 65535", "value > 65536"),
    (TARGET, "request_target.cpp", "        at += escape ? 2 : 0;\n", ""),
    (REQUEST, "request_text.cpp", " && c != '\\t') || c == 0x7f;", " && c != '\\t');"),
    (REQUEST, "request_text.cpp", "same(r, name)", "r == name"),
    (REQUEST, "request_text.cpp", "text.size() <= longest_value", "text.size() < longest_value"),
]

MODEL = ["model_random_test", "model_exhaustive_test"]


def tests_for(rule):
    return MODEL[:1] if rule >= 10 else MODEL


def compiled_from(path, scratch):
    """What is compiled anew where that file of src/ has changed."""
    if path.suffix != ".hpp":
        return [path]
    if path.parent.name == "sync":
        return [path.with_suffix(".cpp"), scratch / "tests" / "unit" / "model_random_test.cpp"]
    unit = scratch / "tests" / "unit"
    if path.stem == "websocket_framer":
        return [path.with_suffix(".cpp"), *(unit / f"{test}.cpp" for test in FRAMER)]
    return [path.parent / "decoder.cpp", path.parent / "json_reader.cpp"]


def object_of(scratch, source):
    return scratch / (source.stem + ".o")


def compile_one(scratch, source):
    obj = object_of(scratch, source)
    command = [os.environ.get("CXX", "g++"), "-std=c++20", "-O1", "-w", "-DBOOST_ASIO_NO_DEPRECATED",
               f'-DPLEX_TEST_DATA="{TOP}/tests/data"',
               *(f"-I{scratch / part}" for part in ("include", "src", "tests")), "-c", str(source), "-o", str(obj)]
    subprocess.run(command, check=True)
    return obj


def link(objects, program):
    subprocess.run([os.environ.get("CXX", "g++"), *map(str, objects), "-lCatch2WithMain", "-lboost_json", "-lboost_url",
                    "-o", str(program)], check=True)


def run(program, tests):
    return subprocess.run([program, ",".join(f"[#{test}]" for test in tests), "--filenames-as-tags"],
                          capture_output=True, text=True, errors="replace", timeout=600)


def broken_rule(program, test):
    """The rule that the run found broken, or that it crashed; None if it found nothing; if it failed otherwise, how."""
    done = run(program, [test])
    if done.returncode == 0:
        return None
    if broken := re.search(r"rule \d+:[^\n]*(?:\n  \S[^\n]*)?", done.stdout):
        return broken.group(0).replace("\n ", "")
    if "fatal error condition" in done.stdout or done.returncode < 0:
        return "rule unknown: it crashes"
    return f"status {done.returncode}, no rule named: {done.stdout[-300:]}{done.stderr[-300:]}"


def broken_test(program, tests):
    """The test that failed; None if none did."""
    try:
        done = run(program, tests)
    except subprocess.TimeoutExpired:
        return "one of them hangs"
    if done.returncode == 0:
        return None
    named = re.search(r"-{70,}\n(.*?)\n-{70,}\n", done.stdout, re.DOTALL)
    return " ".join(named.group(1).split()) if named else f"status {done.returncode}"


def copied(scratch):
    for part in ("include", "src", "tests"):
        shutil.copytree(TOP / part, scratch / part)


def built(scratch, program, sources):
    objects = [compile_one(scratch, source) for source in sources]
    link(objects, program)
    return objects


def try_one(scratch, folder, program, objects, mutant, label, judge):
    """Whether it was found, and what there is to say of it."""
    what, name, text, replacement = mutant
    begun = time.monotonic()
    path = scratch / "src" / folder / name
    original = path.read_text()
    if original.count(text) != 1:
        return False, f"LOST      {label}: its text occurs {original.count(text)} times"
    path.write_text(original.replace(text, replacement))
    sound = {obj: obj.read_bytes() for obj in (object_of(scratch, s) for s in compiled_from(path, scratch))}
    for source in compiled_from(path, scratch):
        compile_one(scratch, source)
    path.write_text(original)
    link([scratch / obj for obj in objects], scratch / program)
    found = judge(scratch / program, what)
    for obj, content in sound.items():
        obj.write_bytes(content)
    good = all(good for _, _, good in found)
    return good, "\n".join([f"{'found' if good else 'SURVIVED'}  {label} ({time.monotonic() - begun:.1f} s)",
                            *(f"    {test}: {how or 'nothing'}" for test, how, _ in found)])


def chosen(mutants, words):
    """Those whose label has one of the words, each with its label."""
    labels = [f"{f'rule {what}, ' if isinstance(what, int) else ''}{name}: {text.strip()!r} -> {replacement.strip()!r}"
              for what, name, text, replacement in mutants]
    return [(m, label) for m, label in zip(mutants, labels) if not words or any(word in label for word in words)]


def mutate(scratch, folder, program, objects, mutants, judge):
    """How many of them were lost or survived. `judge(program, mutant)` gives for each run what it found, and whether
    that will do. Each worker breaks a copy of `scratch` of its own."""
    copies = queue.SimpleQueue()
    for number in range(os.cpu_count() or 1):
        copies.put(shutil.copytree(scratch, scratch.with_name(f"{scratch.name}-{number}")))

    def tried(mutant, label):
        own = copies.get()
        try:
            return try_one(own, folder, program.name, [obj.name for obj in objects], mutant, label, judge)
        finally:
            copies.put(own)

    failures = 0
    with concurrent.futures.ThreadPoolExecutor(copies.qsize()) as workers:
        for done in concurrent.futures.as_completed([workers.submit(tried, *m) for m in mutants]):
            good, said = done.result()
            failures += 0 if good else 1
            print(said, flush=True)
    print(f"{len(mutants)} mutants of src/{folder}, {failures} not found", flush=True)
    return failures


def mutate_sync(scratch, mutants):
    src, unit = scratch / "src", scratch / "tests" / "unit"
    core = ["abi.cpp", "activity.cpp", "block_recycler.cpp", "protocol/json_text.cpp", "protocol/utf8.cpp"]
    program = scratch / "model"
    objects = built(scratch, program, [*(src / name for name in core), *sorted((src / "sync").glob("*.cpp")),
                                       *(unit / f"{test}.cpp" for test in MODEL)])
    for test in MODEL:
        if how := broken_rule(program, test):
            print(f"without any mutant {test} finds: {how}")
            return 1

    def judge(program, rule):
        found = [(test, broken_rule(program, test)) for test in tests_for(rule)]
        return [(test, how, how is not None and how.startswith("rule")) for test, how in found]

    return mutate(scratch, "sync", program, objects, mutants, judge)


def mutate_protocol(scratch, mutants):
    src, unit = scratch / "src", scratch / "tests" / "unit"
    tests = sorted({test for mutant in PROTOCOL for test in mutant[0]})
    core = ["abi.cpp", "activity.cpp", "block_recycler.cpp", "error.cpp"]
    program = scratch / "protocol"
    objects = built(scratch, program, [*(src / name for name in core), *sorted((src / "protocol").glob("*.cpp")),
                                       *(unit / f"{test}.cpp" for test in tests),
                                       unit / "decoder_allocation_test.cpp"])
    if how := broken_test(program, tests):
        print(f"without any mutant this fails: {how}")
        return 1

    def judge(program, of):
        how = broken_test(program, [*of, *(["decoder_allocation_test"] if of is DECODER else [])])
        return [(" ".join(of), how, how is not None)]

    return mutate(scratch, "protocol", program, objects, mutants, judge)


def main(words):
    failures = 0
    for half, mutants in ((mutate_protocol, chosen(PROTOCOL, words)), (mutate_sync, chosen(SYNC, words))):
        if not mutants:
            continue
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            sound = pathlib.Path(folder) / "sound"
            copied(sound)
            failures += half(sound, mutants)
    print(f"{failures} failed" if failures else "every mutant was found")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
