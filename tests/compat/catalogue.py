# SPDX-License-Identifier: BSD-3-Clause
"""Real documents for the redisearch tests: Debian's package list as apt knows it."""

import random
import subprocess


def packages(count):
    """`count` packages as (name, description, section, installed size), all bytes; fewer if apt knows no more."""
    listing = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=True).stdout
    found = {}
    for paragraph in listing.split(b"\n\n"):
        fields = {}
        for line in paragraph.split(b"\n"):
            name, _, value = line.partition(b": ")
            fields.setdefault(name, value)
        name = fields.get(b"Package")
        if name and name not in found and b"Installed-Size" in fields:
            found[name] = (name, fields.get(b"Description", b""), fields.get(b"Section", b""),
                           fields[b"Installed-Size"])
            if len(found) == count:
                break
    return list(found.values())


def words(documents):
    """Every plain word of the descriptions, in order of appearance."""
    out = []
    for _, description, _, _ in documents:
        out += [word for word in description.lower().split() if word.isalpha() and word.isascii()]
    return out


def queries(documents, count, seed):
    """`count` search and aggregate commands over the index `pkg`, made from words that occur."""
    rng = random.Random(seed)
    vocabulary = [word.decode() for word in words(documents)]
    sections = sorted({section.decode() for _, _, section, _ in documents if section.isalpha()})

    def word():
        return rng.choice(vocabulary)

    def phrase():
        at = rng.randrange(len(vocabulary) - 3)
        return '"%s"' % " ".join(vocabulary[at:at + rng.randint(2, 3)])

    def prefix():
        return word()[:rng.randint(2, 4)] + "*"

    def size_range():
        low = rng.choice(["-inf", "(100", str(rng.randint(0, 2000))])
        high = rng.choice(["+inf", "(5000", str(rng.randint(2000, 60000))])
        return f"@size:[{low} {high}]"

    def section():
        return "@section:{%s}" % "|".join(rng.sample(sections, rng.randint(1, 2)))

    terms = [word, word, phrase, prefix, size_range, section, lambda: f"-{word()}", lambda: f"~{word()}",
             lambda: f"({word()}|{word()})", lambda: f"@name:{word()}", lambda: f"@description:({word()} {word()})",
             lambda: f"%{word()}%"]

    def search():
        text = " ".join([word() if rng.random() < 0.5 else prefix()] +
                        [rng.choice(terms)() for _ in range(rng.choice([0, 0, 1, 1, 2]))])
        if rng.random() < 0.4:
            text = rng.choice([word, phrase, prefix, size_range, section])()
        command = ["FT.SEARCH", "pkg", text]
        command += rng.choice([[], ["VERBATIM"], ["NOSTOPWORDS"], ["WITHSCORES"], ["SLOP", "3"], ["INORDER"],
                               ["INFIELDS", "1", "name"], ["LANGUAGE", "english"]])
        command += rng.choice([["NOCONTENT"], ["RETURN", "3", "name", "size", "description"], [],
                               ["HIGHLIGHT", "FIELDS", "1", "description", "TAGS", "<b>", "</b>"], ["HIGHLIGHT"],
                               ["SUMMARIZE", "FIELDS", "1", "description", "FRAGS", "2", "LEN", "5"]])
        command += rng.choice([[], [], ["SORTBY", "size", rng.choice(["ASC", "DESC"])]])
        return command + rng.choice([[], ["LIMIT", str(rng.randint(0, 20)), str(rng.randint(1, 50))]])

    def aggregate():
        command = ["FT.AGGREGATE", "pkg", rng.choice([word, prefix, size_range])(), "LOAD", "2", "@section", "@size"]
        group = rng.choice(["@section", "@size"])
        reducers = rng.choice([["REDUCE", "COUNT", "0", "AS", "n"],
                               ["REDUCE", "COUNT", "0", "AS", "n", "REDUCE", "AVG", "1", "@size", "AS", "mean"],
                               ["REDUCE", "COUNT", "0", "AS", "n", "REDUCE", "MAX", "1", "@size", "AS", "most",
                                "REDUCE", "SUM", "1", "@size", "AS", "total"]])
        command += ["GROUPBY", "1", group, *reducers]
        if rng.random() < 0.5:
            command += ["APPLY", "@n * 2 + 1", "AS", "twice"]
        # Groups of equal size come in no defined order without the second key.
        return command + ["SORTBY", "4", "@n", "DESC", group, "ASC", "LIMIT", "0", str(rng.randint(1, 40))]

    return [aggregate() if rng.random() < 0.2 else search() for _ in range(count)]
