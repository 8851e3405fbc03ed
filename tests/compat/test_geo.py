# SPDX-License-Identifier: BSD-3-Clause
"""Geo commands: random positions, searches and wrong arguments, to Debian's redis-server and to ours; replies must be equal, the order of unsorted ones too."""

import os
import random

import pytest

from harness.server import REDIS, Server

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS), reason="redis-server is not installed (script/setup does)")

UNITS = ["m", "km", "ft", "mi", "KM"]


@pytest.fixture(scope="module")
def servers():
    with Server(binary=REDIS, tcp=False) as theirs, Server(tcp=False) as ours:
        yield theirs, ours


@pytest.fixture
def both(servers):
    connections = [server.connect() for server in servers]
    for connection in connections:
        connection.do("FLUSHALL")

    def ask(*command):
        theirs, ours = (connection.call(*command) for connection in connections)
        assert ours == theirs, " ".join(command)
        return ours[1]

    yield ask
    for connection in connections:
        connection.close()


class Maker:
    """Random commands. `spread`: degrees around a middle, so that there are sets of all densities."""

    def __init__(self, seed, spread):
        self.rng = random.Random(seed)
        self.spread = spread
        self.middle = (self.rng.uniform(-170, 170), self.rng.uniform(-75, 75))

    def position(self):
        longitude = self.middle[0] + self.rng.uniform(-1, 1) * self.spread
        latitude = self.middle[1] + self.rng.uniform(-1, 1) * self.spread / 2
        return (f"{(longitude + 180) % 360 - 180:.6f}", f"{max(-85, min(85, latitude)):.6f}")

    def member(self):
        return f"m{self.rng.randrange(300)}"

    def radius(self):
        return f"{self.spread * 111 * self.rng.choice([0.001, 0.01, 0.1, 0.5, 1, 2, 10]) * self.rng.random():.5f}"

    def odd(self, value):
        """Now and then something else."""
        return self.rng.choice(["x", "-1", "1e400", "", "0", "nan", "inf", "200", "foo"]) if self.rng.random() < 0.02 else value

    def options(self, with_store):
        words = []
        for word in ("WITHDIST", "WITHHASH", "WITHCOORD", "ASC", "DESC", "ANY"):
            if self.rng.random() < (0.15 if word != "ANY" else 0.05):
                words.append([word])
        if self.rng.random() < 0.4:
            words.append(["COUNT", self.odd(str(self.rng.randint(1, 30)))])
            if self.rng.random() < 0.3:
                words.append(["ANY"])
        if self.rng.random() < with_store:
            words.append([self.rng.choice(["STORE", "STOREDIST"]), "target"])
        if self.rng.random() < 0.02:
            words.append([self.rng.choice(["foo", "COUNT", "STOREDIST", "BYBOX", "FROMMEMBER"])])
        self.rng.shuffle(words)
        return [word for group in words for word in group]

    def search(self, command, *keys, stored=False):
        words = [["FROMMEMBER", self.member()] if self.rng.random() < 0.4 else ["FROMLONLAT", *map(self.odd, self.position())]]
        if self.rng.random() < 0.5:
            words.append(["BYRADIUS", self.odd(self.radius()), self.odd(self.rng.choice(UNITS))])
        else:
            words.append(["BYBOX", self.odd(self.radius()), self.odd(self.radius()), self.odd(self.rng.choice(UNITS))])
        if self.rng.random() < 0.02:
            words.pop()
        if stored and self.rng.random() < 0.3:
            words.append(["STOREDIST"])
        words += [[word] for word in self.options(0) if not stored or not word.startswith("WITH")]
        return [command, *keys, *(word for group in words for word in group)]

    def command(self):
        key = self.rng.choice(["g", "g", "g", "g", "missing"])
        kind = self.rng.randrange(12)
        if kind < 2:
            triples = [part for _ in range(self.rng.randint(1, 8)) for part in (*self.position(), self.member())]
            return ["GEOADD", "g", *self.rng.choice([[], [], ["CH"], ["NX"], ["XX", "CH"]]), *map(self.odd, triples)]
        if kind == 2:
            return [self.rng.choice(["GEOPOS", "GEOHASH"]), key, *(self.member() for _ in range(self.rng.randint(0, 4)))]
        if kind == 3:
            return ["GEODIST", key, self.member(), self.member(), *self.rng.choice([[], [self.odd(self.rng.choice(UNITS))]])]
        if kind < 8:
            return self.search("GEOSEARCH", key)
        if kind == 8:
            return self.search("GEOSEARCHSTORE", "target", key, stored=True)
        if kind == 9:
            return ["ZREM", "g", self.member()]
        read_only = self.rng.choice(["", "", "_RO"])
        tail = [self.odd(self.radius()), self.odd(self.rng.choice(UNITS)), *self.options(0 if read_only else 0.2)]
        if kind == 10:
            return ["GEORADIUS" + read_only, key, *map(self.odd, self.position()), *tail]
        return ["GEORADIUSBYMEMBER" + read_only, key, self.member(), *tail]


@pytest.mark.parametrize("spread", [0.001, 0.05, 1, 20, 180])
def test_random_commands(both, spread):
    for seed in range(4):
        maker = Maker(seed, spread)
        both("DEL", "g", "target")
        for _ in range(1000):
            command = maker.command()
            both(*command)
            if "target" in command:
                both("ZRANGE", "target", "0", "-1")
                both("OBJECT", "ENCODING", "target")
                both("COMMAND", "GETKEYS", *command)


def test_edges_of_the_map(both):
    places = [(x, y) for x in ("-180", "-179.999999", "0", "179.999999", "180") for y in ("-85.05112878", "-85", "0", "85", "85.05112878")]
    for number, place in enumerate(places):
        both("GEOADD", "g", *place, f"m{number}")
    for number, place in enumerate(places):
        both("GEOPOS", "g", f"m{number}")
        both("GEOHASH", "g", f"m{number}")
        both("ZSCORE", "g", f"m{number}")
        for radius in ("0", "1", "1000", "5000", "20000", "100000"):
            both("GEOSEARCH", "g", "FROMLONLAT", *place, "BYRADIUS", radius, "km", "ASC", "WITHDIST")
            both("GEOSEARCH", "g", "FROMMEMBER", f"m{number}", "BYBOX", radius, radius, "km")
