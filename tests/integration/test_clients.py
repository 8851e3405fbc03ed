# SPDX-License-Identifier: BSD-3-Clause
"""Clients that people use, run against the server: redis-cli, redis-benchmark, redis-py, ioredis, node-redis."""

import os
import re
import shutil
import subprocess

import pytest
import redis

from harness.server import ROOT, wait_until

CLIENTS = ROOT / "tests/clients"
NODE_MODULES = ROOT / "build/npm/node_modules"
SECONDS_MAX = 120


def run(*command, stdin=None, **options):
    done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True, text=True,
                          timeout=SECONDS_MAX, **options)
    assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


# redis-cli.


def cli(server, *words, stdin=None):
    return run("redis-cli", "-s", server.socket_path, *words, stdin=stdin)


def test_redis_cli_commands(server):
    assert cli(server, "SET", "greeting", "hello") == "OK\n"
    assert cli(server, "GET", "greeting") == "hello\n"
    assert cli(server, "--no-raw", "GET", "nokey") == "(nil)\n"
    assert cli(server, "--no-raw", "RPUSH", "l", "a", "b") == "(integer) 2\n"
    assert cli(server, "--no-raw", "LRANGE", "l", "0", "-1") == '1) "a"\n2) "b"\n'
    assert cli(server, "-n", "3", "DBSIZE") == "0\n"
    assert run("redis-cli", "-p", server.port, "PING") == "PONG\n"
    assert cli(server, "-3", "--no-raw", "HGETALL", "nokey") == "(empty hash)\n"
    assert cli(server, "-x", "SET", "piped", stdin="from stdin") == "OK\n"
    assert cli(server, stdin="SET a 1\nINCR a\n") == "OK\n2\n"


def test_redis_cli_mass_insertion(server):
    lines = "".join(f"SET key:{i} {i}\r\n" for i in range(20000))
    out = cli(server, "--pipe", stdin=lines)
    assert "errors: 0, replies: 20000" in out
    assert cli(server, "DBSIZE") == "20000\n"


def test_redis_cli_scan_and_statistics(server):
    cli(server, "--pipe", stdin="".join(f"HSET hash:{i} f {'x' * (i % 100 + 1)}\r\nSET s:{i} 1\r\n" for i in range(500)))
    assert len(cli(server, "--scan", "--pattern", "hash:*").split()) == 500
    big = cli(server, "--bigkeys")
    assert re.search(r"500 hashs with 500 fields", big) and re.search(r"500 strings with 500 bytes", big)
    assert "total_commands_processed" in cli(server, "INFO", "stats")


# redis-benchmark.


def test_redis_benchmark(server):
    tests = "ping_inline,ping_mbulk,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100,mset"
    out = run("redis-benchmark", "-s", server.socket_path, "-n", "2000", "-c", "20", "-P", "4", "-r", "1000", "-t", tests,
              "--csv")
    rows = [line for line in out.splitlines() if line.startswith('"') and "test" not in line]
    assert len(rows) >= 16
    assert "error" not in out.lower()


# redis-py.


@pytest.fixture
def client(server):
    with redis.Redis(port=server.port) as connection:
        yield connection


def test_redis_py_types(client):
    assert client.set("s", "value", ex=100) and client.get("s") == b"value" and 0 < client.ttl("s") <= 100
    assert client.hset("h", mapping={"a": 1, "b": 2}) == 2 and client.hgetall("h") == {b"a": b"1", b"b": b"2"}
    assert client.rpush("l", *range(5)) == 5 and client.lrange("l", 1, -2) == [b"1", b"2", b"3"]
    assert client.sadd("t", "x", "y") == 2 and client.smembers("t") == {b"x", b"y"}
    assert client.zadd("z", {"a": 1.5, "b": 2}) == 2
    assert client.zrange("z", 0, -1, withscores=True) == [(b"a", 1.5), (b"b", 2.0)]
    assert client.zrangebyscore("z", "-inf", "(2") == [b"a"]
    assert sorted(client.scan_iter(match="?", count=2)) == [b"h", b"l", b"s", b"t", b"z"]
    assert client.type("z") == b"zset" and client.object("encoding", "s") == b"embstr"


def test_redis_py_pipeline_and_watch(client):
    with client.pipeline() as pipe:
        assert pipe.set("n", 1).incr("n").incrbyfloat("n", 0.5).execute() == [True, 2, 2.5]
    with client.pipeline() as pipe:
        pipe.watch("n")
        client.set("n", 10)
        pipe.multi()
        pipe.incr("n")
        with pytest.raises(redis.WatchError):
            pipe.execute()
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        client.lpush("n", 1)


def test_redis_py_pubsub(client):
    subscriber = client.pubsub()
    subscriber.subscribe("news")
    subscriber.psubscribe("n*")
    for _ in range(2):
        assert subscriber.get_message(timeout=10)["type"] in ("subscribe", "psubscribe")
    assert client.publish("news", "hello") == 2
    got = [subscriber.get_message(timeout=10) for _ in range(2)]
    assert {message["type"] for message in got} == {"message", "pmessage"}
    assert {message["data"] for message in got} == {b"hello"}
    subscriber.close()
    wait_until(lambda: client.pubsub_numsub("news") == [(b"news", 0)])


def test_redis_py_administration(client):
    assert client.info("server")["redis_mode"] == "standalone"
    assert client.config_get("maxclients") == {"maxclients": "10000"}
    assert client.client_id() > 0 and client.client_setname("py") and client.client_getname() in ("py", b"py")
    assert any(entry["name"] == "py" for entry in client.client_list())
    assert client.command_count() > 150
    assert client.command()["get"]["arity"] == 2
    assert client.dbsize() == 0 and client.flushall() and client.time()[0] > 0
    assert client.module_list() == []


# The Node clients.


def run_node(script, server):
    if shutil.which("node") is None:
        pytest.skip("node is not installed (script/setup installs it)")
    if not NODE_MODULES.is_dir():
        pytest.skip("the npm packages could not be installed (script/setup says why)")
    out = run("node", CLIENTS / script, server.port, server.socket_path, cwd=ROOT,
              env={**os.environ, "NODE_PATH": str(NODE_MODULES)})
    assert out.strip().endswith("all passed"), out


def test_ioredis(server):
    run_node("ioredis.js", server)


def test_node_redis(server):
    run_node("node_redis.js", server)
