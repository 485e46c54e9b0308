#!/usr/bin/env python3
"""The reference says of each awaitable what it throws, and has the clauses below; what it cites of protocol.md exists.

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


awaitables = 0
forms = 0
xml = pathlib.Path(sys.argv[1])
for compound in ElementTree.parse(xml / "index.xml").iter("compound"): # and not what an earlier run has left
    for member in ElementTree.parse(xml / f"{compound.get('refid')}.xml").iter("memberdef"):
        name = text(member.find("definition")) or text(member.find("name"))
        description = member.find("detaileddescription")
        if member.get("kind") != "function" or member.get("prot") != "public":
            continue
        if member.find("name").text.startswith("async_"):
            forms += 1
            if description.find(".//simplesect[@kind='see']") is None:
                missing.append(f"{name} does not refer to what it does")
        elif "awaitable<" in text(member.find("type")).replace(" ", ""):
            awaitables += 1
            said = {text(s.find("title")) for s in description.iter("simplesect") if s.get("kind") == "par"}
            missing += [f"{name} says nothing of {clause}" for clause in sorted(clauses - said)]
            if description.find(".//parameterlist[@kind='exception']") is None:
                missing.append(f"{name} does not say what it throws")

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
if awaitables < 15 or forms < 7 or citations < 20:
    missing.append(f"only {awaitables} awaitables, {forms} forms for tokens and {citations} citations were found")
print("\n".join(missing) or f"{awaitables} awaitables, {forms} forms for tokens, {citations} citations")
sys.exit(1 if missing else 0)
