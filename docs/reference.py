#!/usr/bin/env python3
"""The reference says of each awaitable what it throws, and has the clauses below; each of a client, feed or operation has its
form for completion tokens; what the reference cites of protocol.md exists.

reference.py XML: the folder that Doxygen has written (docs/CMakeLists.txt).
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

root = pathlib.Path(__file__).resolve().parent.parent
clauses = {"Cancellation", "Threads", "Lifetime"}
missing = []


def text(node):
    return "".join(node.itertext()) if node is not None else ""


awaitables = {}
forms = set() # what they refer to
xml = pathlib.Path(sys.argv[1])
for compound in ElementTree.parse(xml / "index.xml").iter("compound"): # and not what an earlier run has left
    for member in ElementTree.parse(xml / f"{compound.get('refid')}.xml").iter("memberdef"):
        name = text(member.find("definition")) or text(member.find("name"))
        description = member.find("detaileddescription")
        if member.get("kind") != "function" or member.get("prot") != "public":
            continue
        if member.find("name").text.startswith("async_"):
            seen = description.find(".//simplesect[@kind='see']")
            if seen is None:
                missing.append(f"{name} does not refer to what it does")
            forms.add(text(seen).strip().rstrip("."))
        elif "awaitable<" in text(member.find("type")).replace(" ", ""):
            awaitables[name.split()[-1].removeprefix("plex::")] = name
            said = {text(s.find("title")) for s in description.iter("simplesect") if s.get("kind") == "par"}
            missing += [f"{name} says nothing of {clause}" for clause in sorted(clauses - said)]
            if description.find(".//parameterlist[@kind='exception']") is None:
                missing.append(f"{name} does not say what it throws")

for awaitable, name in awaitables.items():
    if awaitable.split("::")[0] in ("client", "feed", "operation") and awaitable not in forms:
        missing.append(f"{name} has no form for completion tokens")

sections = set(re.findall(r"^#+ (\d+(?:\.\d+)?) ", (root / "docs/protocol.md").read_text(encoding="utf-8"), re.M))
rules = set(re.findall(r"^\*\*rule (\d+) ", (root / "docs/protocol.md").read_text(encoding="utf-8"), re.M))
citations = 0
for header in sorted((root / "include").rglob("*.hpp")):
    # A citation may go on in the next line of the comment.
    lines = re.sub(r"\s*\n\s*///", "", header.read_text(encoding="utf-8"))
    for rule, numbers in re.findall(r"protocol\.md,? (?:rule (\d+)|(\d+(?:\.\d+)?(?:, \d+(?:\.\d+)?)*))", lines):
        for number in numbers.split(", ") if numbers else []:
            citations += 1
            if number not in sections:
                missing.append(f"{header.name} cites protocol.md {number}, which is not there")
        if rule:
            citations += 1
            if rule not in rules:
                missing.append(f"{header.name} cites rule {rule} of protocol.md, which is not there")

# So that this does not pass by reading nothing.
if len(awaitables) < 15 or len(forms) < 12 or citations < 20:
    missing.append(f"only {len(awaitables)} awaitables, {len(forms)} forms for tokens and {citations} citations were found")
print("\n".join(missing) or f"{len(awaitables)} awaitables, {len(forms)} forms for tokens, {citations} citations")
sys.exit(1 if missing else 0)
