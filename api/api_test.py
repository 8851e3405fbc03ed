# SPDX-License-Identifier: BSD-3-Clause
"""Checks the Module API's description, and that what is generated from it compiles, links and resolves.

Run by `python3 -m pytest api`. Standard library only; CC and CXX name the compilers (cc, c++ by default).
"""

import collections
import ctypes
import os
import pathlib
import re
import subprocess
import sys

import pytest

API_DIR = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(API_DIR))
import generate  # noqa: E402  (it stands beside this file, not in a package)

API = generate.Api()
FUNCTIONS = API.functions()
SIDES = ("redis", "valkey")
CC = os.environ.get("CC", "cc").split()
CXX = os.environ.get("CXX", "c++").split()
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]
ITEM_KEYS = {
    "scalar": {"name", "c", "doc"},
    "opaque": {"name", "doc"},
    "enum": {"name", "values", "doc"},
    "callback": {"name", "signature", "doc"},
    "struct": {"name", "fields", "doc"},
    "event": {"name", "id"},
    "group": {"title", "constants"},
}
OPTIONAL_KEYS = {"since_redis", "since_valkey", "alias", "tag", "flexible", "valkey_fields", "valkey", "valkey_id",
                 "valkey_value", "deprecated", "doc", "kind"}


def names(functions):
    return [f["name"] for f in functions]


def duplicates(items):
    return [item for item, count in collections.Counter(items).items() if count > 1]


# --- the description ---


def test_every_file_is_an_area_or_types():
    files = sorted(path.stem for path in API_DIR.glob("*.toml"))
    assert len(API.areas) + 2 == len(files) and {"types", "constants"} <= set(files)
    for area in API.areas:
        assert set(area) == {"area", "doc", "function"}, area["area"]
    assert not duplicates(area["area"] for area in API.areas)


def test_function_names_are_unique():
    assert not duplicates(names(FUNCTIONS))


@pytest.mark.parametrize("function", FUNCTIONS, ids=names(FUNCTIONS))
def test_function(function):
    assert set(function) <= generate.FUNCTION_KEYS
    assert {"name", "signature", "since_redis", "since_valkey", "context", "thread", "doc"} <= set(function)
    assert re.fullmatch(r"_?[A-Z]\w*", function["name"])
    assert function["thread"] in generate.THREADS
    for key in ("signature", "valkey_signature"):
        if key in function:
            result, params = generate.split_signature(function[key])
            assert "Valkey" not in result + params, "signatures are written in Redis names"
    params = generate.split_signature(function["signature"])[1]
    assert function["context"] == params.startswith("RedisModuleCtx *")
    versions = [generate.version_number(function["since_" + side]) for side in SIDES]
    assert any(versions)
    assert all(v == 0 or v >= 0x040000 for v in versions)
    if "printf" in function:
        assert params.split(", ")[function["printf"] - 1] == "const char *fmt" and params.endswith(", ...")


@pytest.mark.parametrize("function", FUNCTIONS, ids=names(FUNCTIONS))
def test_function_texts(function):
    for text in [function["doc"], function.get("ownership", "None.")]:
        assert text.endswith(".") and text == text.strip() and "*/" not in text and "\n" not in text


@pytest.mark.parametrize("section", generate.SECTIONS)
def test_type_items_have_their_keys(section):
    for item in API.items[section]:
        assert ITEM_KEYS[section] <= set(item), item
        assert set(item) <= ITEM_KEYS[section] | OPTIONAL_KEYS, item
        for constant in item.get("constants", []):
            assert {"name", "value"} <= set(constant) <= {"name", "value"} | OPTIONAL_KEYS, constant


@pytest.mark.parametrize("side", SIDES)
def test_constants_are_defined_once(side):
    text = generate.module_header(API, side)
    defined = re.findall(r"^#define (_?[A-Z]\w*)", text, flags=re.MULTILINE)
    attributes = {name for name in defined if "_ATTR" in name}  # once for each compiler
    assert not set(duplicates(defined)) - attributes


@pytest.mark.parametrize("side", SIDES)
def test_every_type_in_a_signature_is_declared(side):
    dialect = generate.Dialect(API, side)
    declared = {dialect.text(item[key]) for section in ("scalar", "opaque", "enum", "callback", "struct")
                for item in API.items[section] if dialect.has(item) for key in ("name", "alias") if key in item}
    for function in FUNCTIONS:
        if dialect.has(function):
            used = set(re.findall(dialect.camel + r"\w*", dialect.signature(function)))
            assert used <= declared, function["name"]


@pytest.mark.parametrize("text", ["int", "int (", "int (int a", "int (int a))", "int ()", "(int a)", "int (int a) x",
                                  "int (int a)(int b)"])
def test_malformed_signature_is_refused(text):
    with pytest.raises(ValueError):
        generate.split_signature(text)


def test_signature_with_callback():
    assert generate.split_signature("char *(int a, void (*f)(void *))") == ("char *", "int a, void (*f)(void *)")


def test_version_numbers():
    assert generate.version_number("7.2.5") == 0x070205
    assert generate.version_number("8.10.0") == 0x080A00
    assert generate.version_number(generate.ABSENT) == 0
    for text in ("7", "7.2", "7.2.x", "7.2.256", "-1.2.3", ""):
        with pytest.raises(ValueError):
            generate.version_number(text)


# --- what is generated ---


def generate_into(folder, seed):
    subprocess.run([sys.executable, API_DIR / "generate.py", "--include-dir", folder / "include", "--generated-dir",
                    folder / "generated", "--stamp", folder / "stamp"],
                   check=True, env={**os.environ, "PYTHONHASHSEED": seed})
    return {str(path.relative_to(folder)): path for path in folder.rglob("*.*") if path.is_file()}


@pytest.fixture(scope="session", name="built")
def fixture_built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    generate_into(folder, "0")
    return folder


def test_output_is_deterministic(tmp_path):
    first = generate_into(tmp_path / "a", "1")
    second = generate_into(tmp_path / "b", "2")
    assert first.keys() == second.keys() == generate.outputs().keys()
    for name, path in first.items():
        assert path.read_bytes() == second[name].read_bytes(), name


def test_unchanged_output_is_not_written_again(tmp_path):
    files = generate_into(tmp_path, "1")
    before = {}
    for name, path in files.items():
        os.utime(path, (1, 1))
        before[name] = path.stat().st_mtime_ns
    changed = files["generated/modhost/api_list.inc"]
    changed.write_text("stale", encoding="utf-8")
    again = generate_into(tmp_path, "1")
    rewritten = {name for name, path in again.items() if path.stat().st_mtime_ns != before[name]}
    assert rewritten == {"generated/modhost/api_list.inc"}
    assert changed.read_text(encoding="utf-8") != "stale"


def test_list_is_sorted_and_complete(built):
    rows = re.findall(r"^BACKPLANE_API\((\w+), 0x(\w{6}), 0x(\w{6}), (kThreadEngine|kThreadAny)\)$",
                      (built / "generated/modhost/api_list.inc").read_text(encoding="utf-8"), flags=re.MULTILINE)
    listed = [row[0] for row in rows]
    assert listed == sorted(listed, key=str.encode) and sorted(listed) == sorted(names(FUNCTIONS))
    assert ("Alloc", "040000", "040000", "kThreadAny") in rows
    assert ("OpenKey", "040000", "040000", "kThreadEngine") in rows


@pytest.mark.parametrize("side", SIDES)
def test_header_has_the_functions_of_its_side_only(side):
    text = generate.module_header(API, side)
    camel = "RedisModule" if side == "redis" else "ValkeyModule"
    declared = set(re.findall(rf"\(\*{camel}_(\w+)\)\(", text)) - {"GetApi"}
    expected = {f["name"] for f in FUNCTIONS if f["since_" + side] != "-" and not f.get("hidden")}
    assert declared == expected
    if side == "valkey":
        code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        assert "RedisModule" not in code and "REDISMODULE" not in code


# --- compiling ---


def compile_text(built, compiler, standard, suffix, text, *flags):
    """Compiles without linking; returns what the compiler said, '' when it is content."""
    source = built / f"compiled{suffix}"
    source.write_text(text, encoding="utf-8")
    done = subprocess.run([*compiler, f"-std={standard}", *WARNINGS, f"-I{built}/include", f"-I{built}/generated",
                           *flags, "-c", "-o", os.devnull, source], capture_output=True, text=True, check=False)
    return done.stderr or ("" if done.returncode == 0 else "failed without a word")


USE = {
    "redis": '#include "redismodule.h"\nint Use(void); int Use(void) { return RedisModule_Free != 0; }\n',
    "valkey": '#include "valkeymodule.h"\nint Use(void); int Use(void) { return ValkeyModule_Free != 0; }\n',
}
LANGUAGES = [(CC, "c99", ".c"), (CC, "c11", ".c"), (CXX, "c++11", ".cc"), (CXX, "c++17", ".cc")]


@pytest.mark.parametrize("compiler,standard,suffix", LANGUAGES)
@pytest.mark.parametrize("side", SIDES)
def test_header_compiles(built, side, compiler, standard, suffix):
    assert compile_text(built, compiler, standard, suffix, USE[side]) == ""


@pytest.mark.parametrize("compiler,standard,suffix", LANGUAGES)
def test_types_only_mode(built, compiler, standard, suffix):
    types = ('#define REDISMODULE_TYPES_ONLY\n#include "redismodule.h"\n'
             "RedisModuleTypeMethods methods = {REDISMODULE_TYPE_METHOD_VERSION};\n")
    flags = ["-Wno-missing-field-initializers"]
    assert compile_text(built, compiler, standard, suffix, types, *flags) == ""
    use = "void *p = &RedisModule_Free;\n"
    assert "RedisModule_Free" in compile_text(built, compiler, standard, suffix, types + use, *flags)
    later = types + '#undef REDISMODULE_TYPES_ONLY\n#include "redismodule.h"\n' + USE["redis"]
    assert compile_text(built, compiler, standard, suffix, later, *flags) == ""


@pytest.mark.parametrize("compiler,standard,suffix", LANGUAGES)
def test_both_headers_in_one_file(built, compiler, standard, suffix):
    text = USE["redis"] + USE["valkey"].replace("Use", "Use2")
    assert compile_text(built, compiler, standard, suffix, text) == ""


def test_host_tables_agree(built):
    text = """#include "modhost/api_signatures.h"
#include <type_traits>
#define BACKPLANE_API(Name, redis, valkey, thread)                                    \\
  static_assert(std::is_function_v<std::remove_pointer_t<backplane::api::Name>>);     \\
  static_assert((redis) != 0 || (valkey) != 0);
#include "modhost/api_list.inc"
static_assert(std::is_same_v<backplane::api::OpenKey,
                             RedisModuleKey *(*)(RedisModuleCtx *, RedisModuleString *, int)>);
static_assert(!std::is_same_v<backplane::api::ACLCheckKeyPrefixPermissions,
                              backplane::api::ValkeyACLCheckKeyPrefixPermissions>);
"""
    assert compile_text(built, CXX, "c++20", ".cc", text) == ""


# Sizes and values that compiled modules out there rely on, as the System V ABI for 64-bit machines lays them out.
ABI = """
RedisModuleTypeMethods 152, RedisModuleEvent 16, RedisModuleClientInfo 80, RedisModuleReplicationInfo 64,
RedisModuleFlushInfo 16, RedisModuleModuleChange 24, RedisModuleConfigChange 24, RedisModuleCronLoop 16,
RedisModuleLoadingProgress 16, RedisModuleSwapDbInfo 16, RedisModuleKeyInfo 16, RedisModuleStreamID 16,
RedisModuleCommandInfo 72, RedisModuleCommandKeySpec 56, RedisModuleCommandArg 72, RedisModuleCommandHistoryEntry 16,
RedisModuleCommandInfoVersion 32, RedisModuleSlotRangeArray 4, RedisModuleClusterSlotMigrationInfo 112,
RedisModuleKeyMetaClassConfig 112
"""
OFFSETS = """
RedisModuleTypeMethods.aux_save_triggers 72, RedisModuleTypeMethods.free_effort 80,
RedisModuleTypeMethods.mem_usage2 112, RedisModuleTypeMethods.aux_save2 144, RedisModuleClientInfo.addr 24, RedisModuleClientInfo.port 70,
RedisModuleClientInfo.db 72, RedisModuleCommandInfo.arity 48, RedisModuleCommandKeySpec.bs 24,
RedisModuleCommandKeySpec.fk 44, RedisModuleCommandArg.flags 40, RedisModuleReplicationInfo.replid1 32
"""
VALUES = """
REDISMODULE_OPEN_KEY_NOEFFECTS 1048576, REDISMODULE_REPLY_PROMISE 12, REDISMODULE_KEYTYPE_STREAM 7,
REDISMODULE_NOTIFY_ALL 10236, REDISMODULE_EVENT_KEY 17, REDISMODULE_CTX_FLAGS_SERVER_STARTUP 16777216,
REDISMODULE_SUBEVENT_PERSISTENCE_SYNC_AOF_START 5, REDISMODULE_ARG_TYPE_BLOCK 8,
REDISMODULE_CMD_KEY_VARIABLE_FLAGS 1024, REDISMODULE_CONFIG_BITFLAGS 256, REDISMODULE_ACL_LOG_CHANNEL 3, REDISMODULE_NODE_NOFAILOVER 32
"""


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="the table is for 64-bit machines")
def test_abi(built):
    def pairs(table):
        return [entry.split() for entry in table.replace("\n", " ").split(",")]

    lines = ["#include <stddef.h>", '#include "redismodule.h"']
    lines += [f'_Static_assert(sizeof({name}) == {size}, "{name}");' for name, size in pairs(ABI)]
    lines += [f'_Static_assert(offsetof({name.replace(".", ", ")}) == {at}, "{name}");' for name, at in pairs(OFFSETS)]
    lines += [f'_Static_assert({name} == {value}, "{name}");' for name, value in pairs(VALUES)]
    assert compile_text(built, CC, "c11", ".c", "\n".join(lines) + "\n") == ""


# --- linking and loading ---

MODULE_MAIN = """
#include "{side}module.h"
EXTERN int OtherFile({camel}Ctx *ctx);
EXTERN int {camel}_OnLoad({camel}Ctx *ctx, {camel}String **argv, int argc);
int {camel}_OnLoad({camel}Ctx *ctx, {camel}String **argv, int argc) {{
  (void)argv;
  (void)argc;
  if ({camel}_Init(ctx, "twofile", 3, {upper}_APIVER_1) != {upper}_OK) return {upper}_ERR;
  return OtherFile(ctx);
}}
"""
MODULE_OTHER = """
#include "{side}module.h"
EXTERN int OtherFile({camel}Ctx *ctx);
int OtherFile({camel}Ctx *ctx) {{
  {camel}_Assert(ctx != NULL);
  if (!RMAPI_FUNC_SUPPORTED({camel}_GetSelectedDb)) return {upper}_ERR;
  if (RMAPI_FUNC_SUPPORTED({camel}_Scan)) return {upper}_ERR;
  return {camel}_GetSelectedDb(ctx) == 7 ? {upper}_OK : {upper}_ERR;
}}
"""


def build_module(folder, built, side, compiler, suffix):
    camel = "RedisModule" if side == "redis" else "ValkeyModule"
    extern = 'extern "C"' if suffix == ".cc" else "extern"
    sources = []
    for name, text in (("main", MODULE_MAIN), ("other", MODULE_OTHER)):
        source = folder / (name + suffix)
        source.write_text(text.format(side=side, camel=camel, upper=camel.upper()), encoding="utf-8")
        sources.append(source)
    library = folder / f"{side}{suffix}.so"
    subprocess.run([*compiler, *WARNINGS, f"-DEXTERN={extern}", f"-I{built}/include", "-shared", "-fPIC", "-o", library,
                    *sources], check=True)
    return getattr(ctypes.CDLL(str(library)), camel + "_OnLoad")


class FakeHost:
    """Just enough of a host for OnLoad: a context whose first word is GetApi, and a few functions behind it."""

    def __init__(self, prefix, busy):
        self.asked = []
        self.attributes = None
        self.functions = {
            prefix + "_IsModuleNameBusy": ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)(lambda name: busy),
            prefix + "_GetSelectedDb": ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(lambda ctx: 7),
            prefix + "_SetModuleAttribs": ctypes.CFUNCTYPE(
                None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int)(self.set_attributes),
        }
        self.get_api = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p))(self.resolve)
        self.context = (ctypes.c_void_p * 1)(ctypes.cast(self.get_api, ctypes.c_void_p))

    def resolve(self, name, target):
        self.asked.append(name.decode())
        function = self.functions.get(name.decode())
        if function is None:
            return 1
        target[0] = ctypes.cast(function, ctypes.c_void_p)
        return 0

    def set_attributes(self, ctx, name, version, api_version):
        self.attributes = (ctx == ctypes.addressof(self.context), name, version, api_version)


@pytest.mark.parametrize("compiler,suffix", [(CC, ".c"), (CXX, ".cc")], ids=["c", "c++"])
@pytest.mark.parametrize("side", SIDES)
def test_two_file_module_links_and_loads(tmp_path, built, side, compiler, suffix):
    on_load = build_module(tmp_path, built, side, compiler, suffix)
    prefix = "RedisModule" if side == "redis" else "ValkeyModule"
    host = FakeHost(prefix, busy=0)
    assert on_load(host.context, None, 0) == 0
    assert host.attributes == (True, b"twofile", 3, 1)
    expected = sorted(f"{prefix}_{f['name']}" for f in FUNCTIONS if f["since_" + side] != "-" and not f.get("hidden"))
    assert sorted(host.asked) == expected
    taken = FakeHost(prefix, busy=1)
    assert on_load(taken.context, None, 0) == 1
    assert taken.attributes is None
