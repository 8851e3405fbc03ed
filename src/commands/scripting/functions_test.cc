// SPDX-License-Identifier: BSD-3-Clause
#include "commands/testing/command_fixture.h"

namespace backplane {
namespace {

class FunctionTest : public CommandTest {
 protected:
  std::string Load(const std::string& code) { return Run({"FUNCTION", "LOAD", code}); }
  // What loading a library of this code says.
  std::string LoadBody(const std::string& body) { return Load("#!lua name=lib\n" + body); }
  static std::string Simple(const std::string& library, const std::string& function,
                            const std::string& body) {
    return "#!lua name=" + library + "\nredis.register_function('" + function +
           "',function(keys,args) " + body + " end)";
  }
  const std::string kBadName =
      "Library names can only contain letters, numbers, or underscores(_) and must be at least one "
      "character long\r\n";
  const std::string kRegistering = "-ERR Error registering functions: ERR ";
};

TEST_F(FunctionTest, LoadsAndCalls) {
  EXPECT_EQ(Load(Simple("lib", "f", "return {keys,args}")), "$3\r\nlib\r\n");
  EXPECT_EQ(Reply("FCALL f 1 a b c"), "*2|*1|$1|a|*2|$1|b|$1|c|");
  EXPECT_EQ(Reply("FCALL F 0"), "*2|*0|*0|");
  Check(R"t(
    FCALL f x => -ERR Bad number of keys provided|
    FCALL f -1 => -ERR Number of keys can't be negative|
    FCALL f 5 a => -ERR Number of keys can't be greater than number of args|
    FCALL nosuch x => -ERR Function not found|
    FCALL_RO f 0 => -ERR Can not execute a script with write flag using *_ro command.|
    FUNCTION STATS => *4|$14|running_script|$-1|$7|engines|*2|$3|LUA|*4|$15|libraries_count|:1|\
$15|functions_count|:1|
    FUNCTION LIST => *1|*6|$12|library_name|$3|lib|$6|engine|$3|LUA|$9|functions|*1|*6|$4|name|\
$1|f|$11|description|$-1|$5|flags|*0|
    FUNCTION LIST LIBRARYNAME x* => *0|
    FUNCTION LIST LIBRARYNAME => -ERR library name argument was not given|
    FUNCTION LIST x => -ERR Unknown argument x|
    FUNCTION LIST WITHCODE WITHCODE => -ERR Unknown argument WITHCODE|
    FUNCTION KILL => -NOTBUSY No scripts in execution right now.|
    FUNCTION DELETE nosuch => -ERR Library not found|
    FUNCTION DELETE lib => +OK|
    FCALL f 0 => -ERR Function not found|
    FUNCTION FLUSH x => -ERR FUNCTION FLUSH only supports SYNC|ASYNC option|
    FUNCTION FLUSH SYNC x => -ERR unknown subcommand or wrong number of arguments for 'FLUSH'. \
Try FUNCTION HELP.|
    FUNCTION LOAD x y => -ERR Unknown option given: x|
  )t");
  const std::string help = Reply("FUNCTION HELP");
  for (const char* word : {"DELETE", "DUMP", "FLUSH", "KILL", "LIST", "LOAD", "RESTORE", "STATS"}) {
    EXPECT_NE(help.find(std::string("|+") + word), std::string::npos) << word;
  }
}

TEST_F(FunctionTest, Headers) {
  EXPECT_EQ(Load("return 1"), "-ERR Missing library metadata\r\n");
  EXPECT_EQ(Load("#!lua name=x"), "-ERR Invalid library metadata\r\n");
  EXPECT_EQ(Load("#!lua name=\"x\nreturn 1"), "-ERR Invalid library metadata\r\n");
  EXPECT_EQ(Load("#!lua\nreturn 1"), "-ERR Library name was not given\r\n");
  EXPECT_EQ(Load("#!js name=x\nreturn 1"), "-ERR Engine 'js' not found\r\n");
  EXPECT_EQ(Load("#!lua nam=x\nreturn 1"), "-ERR Invalid metadata value given: nam=x\r\n");
  EXPECT_EQ(Load("#!lua name=x name=y\nreturn 1"),
            "-ERR Invalid metadata value, name argument was given multiple times\r\n");
  EXPECT_EQ(Load("#!lua name=x-y\nreturn 1"), "-ERR " + kBadName);
  EXPECT_EQ(Load("#!lua name=x\nreturn 1"), "-ERR No functions registered\r\n");
  EXPECT_EQ(Load("#!lua name=x\nbad code"),
            "-ERR Error compiling function: user_function:2: '=' expected near 'code'\r\n");
  EXPECT_EQ(Load(Simple("\"q\"", "f", "")), "$1\r\nq\r\n");
}

TEST_F(FunctionTest, Registrations) {
  EXPECT_EQ(LoadBody("redis.register_function()"),
            kRegistering + "wrong number of arguments to redis.register_function\r\n");
  EXPECT_EQ(LoadBody("redis.register_function('a')"),
            kRegistering +
                "calling redis.register_function with a single argument is only applicable to Lua "
                "table (representing named arguments).\r\n");
  EXPECT_EQ(LoadBody("redis.register_function('a',1)"),
            kRegistering + "second argument to redis.register_function must be a function\r\n");
  EXPECT_EQ(LoadBody("redis.register_function({},1)"),
            kRegistering + "first argument to redis.register_function must be a string\r\n");
  EXPECT_EQ(LoadBody("redis.register_function('a b',function() end)"), kRegistering + kBadName);
  EXPECT_EQ(LoadBody("local f=function() end redis.register_function('a',f) "
                     "redis.register_function('a',f)"),
            kRegistering + "Function already exists in the library\r\n");
  const std::pair<const char*, const char*> named[] = {
      {"", "redis.register_function must get a function name argument"},
      {"function_name='z'", "redis.register_function must get a callback argument"},
      {"function_name={}",
       "function_name argument given to redis.register_function must be a string"},
      {"callback=1", "callback argument given to redis.register_function must be a function"},
      {"description={}", "description argument given to redis.register_function must be a string"},
      {"flags='x'",
       "flags argument to redis.register_function must be a table representing function flags"},
      {"flags={'x'}", "unknown flag given"},
      {"flags={{}}", "unknown flag given"},
      {"foo=1", "unknown argument given to redis.register_function"},
  };
  for (const auto& [arguments, error] : named) {
    EXPECT_EQ(LoadBody("redis.register_function{" + std::string(arguments) + "}"),
              kRegistering + error + "\r\n");
  }
  EXPECT_EQ(LoadBody("redis.register_function{function_name='g',callback=function() return 1 end,"
                     "description='d',flags={'no-writes','allow-oom'}}"),
            "$3\r\nlib\r\n");
  EXPECT_EQ(Reply("FCALL_RO g 0"), ":1|");
  const std::string list = Reply("FUNCTION LIST WITHCODE");
  EXPECT_NE(list.find("$11|description|$1|d|$5|flags|*2|+no-writes|+allow-oom|"),
            std::string::npos);
  EXPECT_NE(list.find("library_code"), std::string::npos);
}

TEST_F(FunctionTest, WhatLoadingSees) {
  for (const char* name : {"math", "pcall", "error", "getmetatable", "_G", "KEYS"}) {
    EXPECT_EQ(LoadBody("local x=" + std::string(name)),
              kRegistering +
                  "user_function:2: Script attempted to access nonexistent global "
                  "variable '" +
                  name + "'\r\n");
  }
  EXPECT_EQ(LoadBody("redis.call('get','x')"),
            kRegistering +
                "user_function:2: Script attempted to access nonexistent global "
                "variable 'call'\r\n");
  EXPECT_EQ(LoadBody("x=1"),
            kRegistering + "user_function:2: Attempt to modify a readonly table\r\n");
  EXPECT_EQ(LoadBody("redis.x=1"),
            kRegistering + "user_function:2: Attempt to modify a readonly table\r\n");
  EXPECT_EQ(LoadBody("while true do end"), kRegistering + "FUNCTION LOAD timeout\r\n");
}

TEST_F(FunctionTest, WhatFunctionsSee) {
  LoadBody(
      "local lib=redis local n=0 "
      "redis.register_function('count',function() n=n+1 return n end) "
      "redis.register_function('late',function() lib.register_function('x',1) end) "
      "redis.register_function('set',function() x=1 end) "
      "redis.register_function('lib',function() lib.x=1 end) "
      "redis.register_function('keys',function() return KEYS end) "
      "redis.register_function('bad',function() redis.call('nosuch') end) "
      "redis.register_function('reg',function() return redis.register_function == nil end)");
  EXPECT_EQ(Reply("FCALL count 0"), ":1|");
  EXPECT_EQ(Reply("FCALL count 0"), ":2|");
  EXPECT_EQ(Reply("FCALL reg 0"), ":1|");
  EXPECT_EQ(Reply("FCALL late 0"),
            "-ERR redis.register_function can only be called on FUNCTION LOAD command script: late,"
            " on @user_function:2.|");
  for (const char* function : {"set", "lib"}) {
    EXPECT_EQ(Reply("FCALL " + std::string(function) + " 0"),
              "-ERR user_function:2: Attempt to modify a readonly table script: " +
                  std::string(function) + ", on @user_function:2.|");
  }
  EXPECT_EQ(Reply("FCALL keys 0"),
            "-ERR user_function:2: Script attempted to access nonexistent global variable 'KEYS' "
            "script: keys, on @user_function:2.|");
  EXPECT_EQ(Reply("FCALL bad 0"),
            "-ERR Unknown Redis command called from script script: bad, on @user_function:2.|");
}

TEST_F(FunctionTest, NamesCollide) {
  Load(Simple("a", "f", "return 1"));
  EXPECT_EQ(Load(Simple("a", "g", "")), "-ERR Library 'a' already exists\r\n");
  EXPECT_EQ(Load(Simple("b", "F", "")), "-ERR Function F already exists\r\n");
  EXPECT_EQ(Run({"FUNCTION", "LOAD", "REPLACE", Simple("a", "f", "return 2")}), "$1\r\na\r\n");
  EXPECT_EQ(Reply("FCALL f 0"), ":2|");
  EXPECT_EQ(Run({"FUNCTION", "LOAD", "REPLACE", "#!lua name=a\nbad code"}).substr(0, 4), "-ERR");
  EXPECT_EQ(Reply("FCALL f 0"), ":2|");
}

TEST_F(FunctionTest, DumpAndRestore) {
  Load(Simple("a", "f", "return 1"));
  const std::string reply = Run({"FUNCTION", "DUMP"});
  const std::string payload = Parse(reply).text;
  EXPECT_EQ(Run({"FUNCTION", "RESTORE", payload}), "-ERR Library a already exists\r\n");
  EXPECT_EQ(Run({"FUNCTION", "RESTORE", payload, "REPLACE"}), "+OK\r\n");
  Do("FUNCTION FLUSH ASYNC");
  EXPECT_EQ(Run({"FUNCTION", "RESTORE", payload, "APPEND"}), "+OK\r\n");
  EXPECT_EQ(Reply("FCALL f 0"), ":1|");
  Do("FUNCTION FLUSH");
  Load(Simple("b", "f", "return 2"));
  EXPECT_EQ(Run({"FUNCTION", "RESTORE", payload, "REPLACE"}), "-ERR Function f already exists\r\n");
  EXPECT_EQ(Reply("FCALL f 0"), ":2|");
  EXPECT_EQ(Run({"FUNCTION", "RESTORE", payload, "FLUSH"}), "+OK\r\n");
  EXPECT_EQ(Reply("FCALL f 0"), ":1|");
  EXPECT_EQ(fixture_.scripting().libraries().all().size(), 1u);
  EXPECT_EQ(Run({"FUNCTION", "RESTORE", "x"}),
            "-ERR DUMP payload version or checksum are wrong\r\n");
  EXPECT_EQ(
      Run({"FUNCTION", "RESTORE", payload, "x"}),
      "-ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.\r\n");
  for (size_t i = 0; i < payload.size(); ++i) {
    std::string damaged = payload;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_EQ(Run({"FUNCTION", "RESTORE", damaged, "REPLACE"}),
              "-ERR DUMP payload version or checksum are wrong\r\n");
  }
}

TEST_F(FunctionTest, Propagates) {
  const std::string code = Simple("a", "f", "redis.call('set','k','v') return 1");
  Forget();
  Load(code);
  EXPECT_EQ(fixture_.TakePropagated(), Strings{"FUNCTION LOAD " + code});
  CheckEffects("FCALL f 0", {"$ set k"}, {"set k v"}, 1);
  CheckEffects("FUNCTION DELETE a", {}, {"FUNCTION DELETE a"}, 1);
  CheckEffects("FUNCTION FLUSH", {}, {"FUNCTION FLUSH"}, 1);
}

TEST_F(FunctionTest, ReadOnlyFunctionsDoNotWrite) {
  LoadBody(
      "redis.register_function{function_name='g',callback=function() "
      "return redis.call('set','a',1) end,flags={'no-writes'}}");
  const std::string refusal =
      "-ERR Write commands are not allowed from read-only scripts. script: g, on "
      "@user_function:2.|";
  EXPECT_EQ(Reply("FCALL g 0"), refusal);
  EXPECT_EQ(Reply("FCALL_RO g 0"), refusal);
}

}  // namespace
}  // namespace backplane
