// SPDX-License-Identifier: BSD-3-Clause
#include "commands/testing/command_fixture.h"

namespace backplane {
namespace {

class ScriptTest : public CommandTest {
 protected:
  std::string Eval(const std::string& code) { return Run({"EVAL", code, "0"}); }
  // The reply without its last word and the script's name: "ERR ... script: x, on @user_script:1."
  std::string Message(const std::string& code) {
    std::string reply = Eval(code);
    return reply.substr(0, reply.find(" script: "));
  }
  // Errors of Lua's own, and reads of what is not there.
  void ExpectReadOnly(const std::string& code) {
    EXPECT_NE(Eval(code).find("Attempt to modify a readonly table"), std::string::npos) << code;
  }
};

TEST_F(ScriptTest, KeysAndArguments) {
  EXPECT_EQ(Run({"EVAL", "return {KEYS,ARGV,#KEYS,#ARGV}", "1", "a", "b", "c"}),
            "*4\r\n*1\r\n$1\r\na\r\n*2\r\n$1\r\nb\r\n$1\r\nc\r\n:1\r\n:2\r\n");
  Check(R"t(
    EVAL "return 1" x => -ERR value is not an integer or out of range|
    EVAL "return 1" -1 => -ERR Number of keys can't be negative|
    EVAL "return 1" 2 a => -ERR Number of keys can't be greater than number of args|
    EVAL "return 1" => -ERR wrong number of arguments for 'eval' command|
    EVAL "return #KEYS" 0 => :0|
  )t");
}

TEST_F(ScriptTest, LuaValuesAsReplies) {
  Check(R"t(
    EVAL "return 3.99" 0 => :3|
    EVAL "return -3.99" 0 => :-3|
    EVAL "return 1e300" 0 => :-9223372036854775808|
    EVAL "return true" 0 => :1|
    EVAL "return false" 0 => $-1|
    EVAL "return nil" 0 => $-1|
    EVAL "" 0 => $-1|
    EVAL "return function() end" 0 => $-1|
    EVAL "return {1,2,nil,4}" 0 => *2|:1|:2|
    EVAL "return {1,{ok='x'},{err='y'},'z'}" 0 => *4|:1|+x|-y|$1|z|
    EVAL "return {ok='a\\r\\nb'}" 0 => +a  b|
    EVAL "return {err='a',ok='b'}" 0 => -a|
    EVAL "return {ok=1}" 0 => *0|
    EVAL "return {double=3.5}" 0 => $3|3.5|
    EVAL "return {map={a=1}}" 0 => *2|$1|a|:1|
    EVAL "return {set={a=true}}" 0 => *1|$1|a|
    EVAL "return {big_number='12\\r\\n3'}" 0 => $5|12  3|
    EVAL "return {verbatim_string={string='x',format='txt'}}" 0 => $1|x|
    EVAL "return {verbatim_string={string='x'}}" 0 => *0|
    EVAL "return _G" 0 => *0|
  )t");
}

TEST_F(ScriptTest, LuaValuesAsRepliesOfResp3) {
  fixture_.SetProtocol(3);
  Check(R"t(
    EVAL "return true" 0 => :1|
    EVAL "return false" 0 => _|
    EVAL "redis.setresp(3) return {true,false}" 0 => *2|#t|#f|
    EVAL "return {double=3.5}" 0 => ,3.5|
    EVAL "return {map={a=1}}" 0 => %1|$1|a|:1|
    EVAL "return {set={a=true}}" 0 => ~1|$1|a|
    EVAL "return {big_number='12'}" 0 => (12|
    EVAL "return {verbatim_string={string='x',format='toolong'}}" 0 => =5|too:x|
  )t");
}

TEST_F(ScriptTest, RepliesAsLuaValues) {
  Do("HSET h f v");
  Do("SADD s m");
  Do("ZADD z 1.5 m");
  Check(R"t(
    EVAL "return redis.call('get','nokey') == false" 0 => :1|
    EVAL "return redis.call('set','k','v').ok" 0 => $2|OK|
    EVAL "return type(redis.call('incr','n'))" 0 => $6|number|
    EVAL "return redis.call('hgetall','h')[2]" 0 => $1|v|
    EVAL "return redis.call('zscore','z','m')" 0 => $3|1.5|
    EVAL "return redis.pcall('lpush','k','x').err" 0 => \
$65|WRONGTYPE Operation against a key holding the wrong kind of value|
    EVAL "redis.setresp(3) return redis.call('get','nokey') == nil" 0 => :1|
    EVAL "redis.setresp(3) return redis.call('hgetall','h').map.f" 0 => $1|v|
    EVAL "redis.setresp(3) return redis.call('smembers','s').set.m" 0 => :1|
    EVAL "redis.setresp(3) return tostring(redis.call('zscore','z','m').double)" 0 => $3|1.5|
  )t");
}

TEST_F(ScriptTest, NumbersAsArguments) {
  Do("EVAL \"redis.call('set','n',3.0)\" 0");
  EXPECT_EQ(Reply("GET n"), "$1|3|");
  Do("EVAL \"redis.call('set','n',3.1)\" 0");
  EXPECT_EQ(Reply("GET n"), "$18|3.1000000000000001|");
  Do("EVAL \"redis.call('set','n',-1e15)\" 0");
  EXPECT_EQ(Reply("GET n"), "$17|-1000000000000000|");
  Do("EVAL \"redis.call('set','n',1e17)\" 0");
  EXPECT_EQ(Reply("GET n"), "$5|1e+17|");
  Do("EVAL \"redis.call('set','n',-0.0)\" 0");
  EXPECT_EQ(Reply("GET n"), "$2|-0|");
}

TEST_F(ScriptTest, ManyArguments) {
  EXPECT_EQ(Eval("local a={} for i=1,7999 do a[i]=1 end return redis.call('lpush','l',unpack(a))"),
            ":7999\r\n");
  EXPECT_EQ(Eval("return #redis.call('lrange','l',0,-1)"), ":7999\r\n");
}

TEST_F(ScriptTest, ErrorsOfCalls) {
  EXPECT_EQ(Eval("return redis.call('nosuch')"),
            "-ERR Unknown Redis command called from script script: "
            "206396248e12c6e742fd7296250433c8d7343b74, on @user_script:1.\r\n");
  EXPECT_EQ(Message("return redis.call()"),
            "-ERR Please specify at least one argument for this redis lib call");
  EXPECT_EQ(Message("return redis.call({})"),
            "-ERR Lua redis lib command arguments must be strings or integers");
  EXPECT_EQ(Message("return redis.call('get')"),
            "-ERR Wrong number of args calling Redis command from script");
  EXPECT_EQ(Message("return redis.call('object','nosuch','x')"),
            "-ERR Unknown Redis command called from script");
  EXPECT_EQ(Message("return redis.call('multi')"),
            "-ERR This Redis command is not allowed from script");
  EXPECT_EQ(Message("return redis.call('eval','return 1',0)"),
            "-ERR This Redis command is not allowed from script");
  EXPECT_EQ(Eval("return redis.pcall('nosuch')"),
            "-ERR Unknown Redis command called from script\r\n");
  EXPECT_EQ(Eval("return redis.pcall()"),
            "-ERR Please specify at least one argument for this redis lib call\r\n");
  EXPECT_EQ(Eval("return select(2,pcall(redis.call,'nosuch'))"),
            "$44\r\nERR Unknown Redis command called from script\r\n");
}

TEST_F(ScriptTest, ErrorsOfLua) {
  EXPECT_EQ(Eval("\n\n foo.bar=1"),
            "-ERR user_script:3: Script attempted to access nonexistent global variable 'foo' "
            "script: " +
                Run({"SCRIPT", "LOAD", "\n\n foo.bar=1"}).substr(5, 40) +
                ", on @user_script:3.\r\n");
  EXPECT_EQ(Message("error('x')"), "-ERR user_script:1: x");
  EXPECT_EQ(Message("error({err='MYERR x'})"), "-MYERR x");
  EXPECT_EQ(Message("error({})"), "-ERR unknown error");
  EXPECT_EQ(Message("error()"), "-ERR nil");
  EXPECT_EQ(Message("local x=nil return x.y"),
            "-ERR user_script:1: attempt to index local 'x' (a nil value)");
  EXPECT_EQ(Message("local function f() return f()+1 end return f()"),
            "-ERR user_script:1: stack overflow");
  EXPECT_EQ(Eval("return 1 +"),
            "-ERR Error compiling script (new function): user_script:1: unexpected symbol near "
            "'<eof>'\r\n");
  EXPECT_TRUE(Eval("local a={} a[1]={a} return a").ends_with("-ERR reached lua stack limit\r\n"));
}

TEST_F(ScriptTest, FunctionsOfTheLibraryRedis) {
  Check(R"t(
    EVAL "return redis.error_reply('boo')" 0 => -ERR boo|
    EVAL "return redis.error_reply('-boo')" 0 => -ERR boo|
    EVAL "return redis.error_reply('BOO x')" 0 => -BOO x|
    EVAL "return redis.error_reply(1)" 0 => -ERR wrong number or type of arguments|
    EVAL "return redis.status_reply('x y')" 0 => +x y|
    EVAL "return redis.sha1hex('Pizza & Mandolino')" 0 => \
$40|74822d82031af7493c20eefa13bd07ec4fada82f|
    EVAL "return redis.replicate_commands()" 0 => :1|
    EVAL "return redis.breakpoint()" 0 => $-1|
    EVAL "return redis.acl_check_cmd('get','x')" 0 => :1|
    EVAL "return redis.REDIS_VERSION_NUM" 0 => :459269|
    EVAL "return redis.REDIS_VERSION" 0 => $5|7.2.5|
    EVAL "return redis.LOG_DEBUG..redis.LOG_VERBOSE..redis.LOG_NOTICE..redis.LOG_WARNING" 0 => \
$4|0123|
    EVAL "return {redis.REPL_AOF,redis.REPL_SLAVE,redis.REPL_REPLICA,redis.REPL_ALL}" 0 => \
*4|:1|:2|:2|:3|
  )t");
  EXPECT_EQ(Message("redis.sha1hex()"), "-ERR wrong number of arguments");
  EXPECT_EQ(Message("redis.log(1)"), "-ERR redis.log() requires two arguments or more.");
  EXPECT_EQ(Message("redis.log(9,'x')"), "-ERR Invalid debug level.");
  EXPECT_EQ(Message("redis.log('x','y')"), "-ERR First argument must be a number (log level).");
  EXPECT_EQ(Message("redis.setresp()"), "-ERR redis.setresp() requires one argument.");
  EXPECT_EQ(Message("redis.setresp(4)"), "-ERR RESP version must be 2 or 3.");
  EXPECT_EQ(Message("redis.set_repl()"), "-ERR redis.set_repl() requires two arguments.");
  EXPECT_EQ(Message("redis.set_repl(99)"),
            "-ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
  EXPECT_EQ(Message("redis.acl_check_cmd('nosuch')"),
            "-ERR Invalid command passed to redis.acl_check_cmd()");
}

TEST_F(ScriptTest, PropagatesEffectsAsOneUnit) {
  CheckEffects("EVAL \"redis.call('set','a','1') redis.call('incr','b') return 1\" 0",
               {"$ set a", "$ incrby b"}, {"MULTI", "set a 1", "incr b", "EXEC"}, 2);
  CheckEffects("EVAL \"redis.call('set','a','2')\" 0", {"$ set a"}, {"set a 2"}, 1);
  CheckEffects("EVAL \"return redis.call('get','a')\" 0", {}, Strings{}, 0);
  CheckEffects(
      "EVAL \"redis.set_repl(redis.REPL_NONE) redis.call('set','a','3') "
      "redis.set_repl(redis.REPL_ALL) redis.call('set','c','4')\" 0",
      {"$ set a", "$ set c"}, {"set c 4"}, 2);
}

TEST_F(ScriptTest, RunsInTheDatabaseOfItsClient) {
  fixture_.session().db_index = 3;
  EXPECT_EQ(Eval("return redis.call('set','k','three')"), "+OK\r\n");
  EXPECT_TRUE(fixture_.Exists("k"));
  fixture_.session().db_index = 0;
  EXPECT_EQ(Eval("return redis.call('get','k')"), "$-1\r\n");
}

TEST_F(ScriptTest, TouchesWatchedKeys) {
  Do("SET k 1");
  Do("WATCH k");
  Eval("redis.call('set','k','2')");
  Do("MULTI");
  EXPECT_EQ(Reply("EXEC"), "*-1|");
}

TEST_F(ScriptTest, ReadOnlyVariants) {
  EXPECT_EQ(Run({"EVAL_RO", "return redis.pcall('set','a','b')", "0"}),
            "-ERR Write commands are not allowed from read-only scripts.\r\n");
  EXPECT_EQ(Run({"EVAL_RO", "return redis.call('get','a')", "0"}), "$-1\r\n");
  EXPECT_EQ(Run({"EVAL_RO", "#!lua\nreturn 1", "0"}),
            "-ERR Can not execute a script with write flag using *_ro command.\r\n");
  EXPECT_EQ(Run({"EVAL_RO", "#!lua flags=no-writes\nreturn 1", "0"}), ":1\r\n");
}

TEST_F(ScriptTest, Shebang) {
  EXPECT_EQ(Eval("#!lua\nreturn 1"), ":1\r\n");
  EXPECT_EQ(Eval("#!lua flags=\nreturn 1"), ":1\r\n");
  EXPECT_EQ(Eval("#!lua flags=no-writes,allow-oom,allow-stale,no-cluster,allow-cross-slot-keys\n"
                 "return 1"),
            ":1\r\n");
  EXPECT_EQ(Eval("#!lua flags=no-writes,\nreturn 1"),
            "-ERR Unexpected flag in script shebang: \r\n");
  EXPECT_EQ(Eval("#!lua flags=x\nreturn 1"), "-ERR Unexpected flag in script shebang: x\r\n");
  EXPECT_EQ(Eval("#!lua name=x\nreturn 1"), "-ERR Unknown lua shebang option: name=x\r\n");
  EXPECT_EQ(Eval("#!js\nreturn 1"), "-ERR Unexpected engine in script shebang: #!js\r\n");
  EXPECT_EQ(Eval("#!lua \"x\nreturn 1"), "-ERR Invalid engine in script shebang\r\n");
  EXPECT_EQ(Eval("#!lua"), "-ERR Invalid script shebang\r\n");
  EXPECT_TRUE(Eval("#!lua flags=no-writes\n\nreturn redis.call('set','a',1)")
                  .ends_with(", on @user_script:3.\r\n"));
}

TEST_F(ScriptTest, Cache) {
  const std::string sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
  EXPECT_EQ(Reply("SCRIPT LOAD \"return 1\""), "$40|" + sha + "|");
  EXPECT_EQ(Reply("EVALSHA " + sha + " 0"), ":1|");
  EXPECT_EQ(Reply("EVALSHA E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 0"), ":1|");
  EXPECT_EQ(Reply("EVALSHA_RO " + sha + " 0"), ":1|");
  EXPECT_EQ(Reply("SCRIPT EXISTS " + sha + " x"), "*2|:1|:0|");
  EXPECT_EQ(fixture_.scripting().scripts().count(), 1u);
  EXPECT_EQ(Reply("SCRIPT FLUSH ASYNC"), "+OK|");
  EXPECT_EQ(fixture_.scripting().scripts().count(), 0u);
  EXPECT_EQ(fixture_.scripting().scripts().memory(), 0u);
  Check(R"t(
    EVALSHA x 0 => -NOSCRIPT No matching script. Please use EVAL.|
    EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0 => \
-NOSCRIPT No matching script. Please use EVAL.|
    SCRIPT FLUSH SYNC => +OK|
    SCRIPT FLUSH => +OK|
    SCRIPT FLUSH x => -ERR SCRIPT FLUSH only support SYNC|ASYNC option|
    SCRIPT KILL => -NOTBUSY No scripts in execution right now.|
    SCRIPT DEBUG NO => +OK|
    SCRIPT DEBUG YES => -ERR scripts are debugged by clients only|
    SCRIPT DEBUG x => -ERR Use SCRIPT DEBUG YES/SYNC/NO|
    SCRIPT LOAD ( => -ERR Error compiling script (new function): user_script:1: \
unexpected symbol near '<eof>'|
  )t");
}

TEST_F(ScriptTest, HelpNamesEverySubcommand) {
  const std::string help = Reply("SCRIPT HELP");
  for (const char* word : {"DEBUG", "EXISTS", "FLUSH", "KILL", "LOAD", "HELP"}) {
    EXPECT_NE(help.find(std::string("|+") + word), std::string::npos) << word;
  }
}

TEST_F(ScriptTest, ErrorsAreCountedOnce) {
  Do("SET k v");
  auto& stats = fixture_.engine().stats();
  const uint64_t before = stats.error_replies;
  Eval("return redis.call('lpush','k','x')");
  EXPECT_EQ(stats.error_replies, before + 1);
  EXPECT_EQ(fixture_.registry().Find("eval")->stats.failed, 1u);
  EXPECT_EQ(fixture_.registry().Find("lpush")->stats.failed, 1u);
  Eval("redis.pcall('lpush','k','x') return 1");
  EXPECT_EQ(stats.error_replies, before + 2);
  EXPECT_EQ(fixture_.registry().Find("eval")->stats.failed, 1u);
  Run({"EVAL_RO", "return redis.call('set','k','x')", "0"});
  EXPECT_EQ(stats.error_replies, before + 3);
  EXPECT_EQ(fixture_.registry().Find("set")->stats.rejected, 1u);
}

TEST_F(ScriptTest, BlockingCommandsDoNotBlock) {
  EXPECT_EQ(Eval("return redis.call('blpop','nolist',0)"), "$-1\r\n");
  EXPECT_EQ(Eval("return redis.call('bzpopmin','nozset',0)"), "$-1\r\n");
}

TEST_F(ScriptTest, StreamReadsDoNotBlock) {
  EXPECT_EQ(Message("return redis.call('xread','BLOCK',0,'STREAMS','s','$')"),
            "-ERR xread command is not allowed with BLOCK option from scripts");
  EXPECT_EQ(Message("return redis.call('xreadgroup','group','g','c','BLOCK',0,'STREAMS','s','>')"),
            "-ERR xreadgroup command is not allowed with BLOCK option from scripts");
  EXPECT_EQ(Eval("return redis.call('xread','STREAMS','s','$')"), "$-1\r\n");
}

TEST_F(ScriptTest, SetsAreSortedForScripts) {
  Do("SADD s d b a c");
  EXPECT_EQ(Eval("return table.concat(redis.call('sort','s','by','_'))"), "$4\r\nabcd\r\n");
}

// --- the sandbox ---

TEST_F(ScriptTest, GlobalsCannotBeChanged) {
  for (const char* code :
       {"foo=1", "KEYS={}", "_G.x=1", "_G=1", "redis=1", "rawset(_G,'x',1)", "setmetatable(_G,{})",
        "getmetatable(_G).__index={}", "rawset(getmetatable(_G),'__index',nil)",
        "loadstring('x=1')()", "coroutine.wrap(function() x=1 end)()"}) {
    ExpectReadOnly(code);
  }
}

TEST_F(ScriptTest, LibrariesCannotBeChanged) {
  for (const char* name : {"redis", "cjson", "cmsgpack", "struct", "bit", "math", "table", "string",
                           "coroutine", "os"}) {
    const std::string lib(name);
    ExpectReadOnly(lib + ".x=1");
    ExpectReadOnly("rawset(" + lib + ",'x',1)");
    ExpectReadOnly("table.insert(" + lib + ",1)");
    ExpectReadOnly("setmetatable(" + lib + ",{})");
    ExpectReadOnly("for k in pairs(" + lib + ") do " + lib + "[k]=nil end");
  }
  ExpectReadOnly("getmetatable('').__index=1");
  ExpectReadOnly("rawset(getmetatable(''),'__add',1)");
  ExpectReadOnly("string.format=nil");
}

TEST_F(ScriptTest, LibrariesCanBeLookedThrough) {
  EXPECT_EQ(Eval("local n=0 for k,v in pairs(redis) do n=n+1 end return n"),
            Eval("local n=0 local k=next(redis) while k do n=n+1 k=next(redis,k) end return n"));
  EXPECT_EQ(Eval("local n=0 for k in pairs(math) do if k=='floor' then n=1 end end return n"),
            ":1\r\n");
  EXPECT_EQ(Eval("return type(redis)..type(cjson)..type(_G)"), "$15\r\ntabletabletable\r\n");
  EXPECT_EQ(Eval("return rawget(_G,'nosuch')"), "$-1\r\n");
}

TEST_F(ScriptTest, NothingDangerousIsThere) {
  for (const char* name : {"getfenv", "setfenv", "newproxy", "print", "loadfile", "dofile",
                           "require", "module", "package", "io", "debug", "luaopen_base"}) {
    EXPECT_EQ(Message("return " + std::string(name)),
              "-ERR user_script:1: Script attempted to access nonexistent global variable '" +
                  std::string(name) + "'");
  }
  EXPECT_EQ(Eval("local r={} for k in pairs(os) do r[#r+1]=k end return table.concat(r)"),
            "$5\r\nclock\r\n");
}

TEST_F(ScriptTest, BytecodeIsRefused) {
  EXPECT_EQ(Eval("return loadstring(string.dump(function() return 1 end))"), "$-1\r\n");
  EXPECT_EQ(Eval("return select(2,loadstring('\\27Lua','=x'))"),
            "$38\r\nx:1: unexpected symbol near 'char(27)'\r\n");
  EXPECT_EQ(Eval("local d=string.dump(function() return 5 end) "
                 "local f,e=load(function() local r=d d=nil return r end) return e"),
            "$43\r\n(load):1: unexpected symbol near 'char(27)'\r\n");
  EXPECT_EQ(Run({"EVAL", "\x1bLua", "0"}),
            "-ERR Error compiling script (new function): user_script:1: unexpected symbol near "
            "'char(27)'\r\n");
  EXPECT_EQ(Eval("local n=0 local parts={'return ','4','2'} "
                 "return load(function() n=n+1 return parts[n] end)()"),
            ":42\r\n");
}

TEST_F(ScriptTest, OverflowsOfStockLuaAreNotThere) {
  for (const char* range : {"-2^31,2^31-1", "0,2^31-1", "1,2^31-1", "-2^31,0", "1,8000"}) {
    EXPECT_EQ(Message(std::string("return unpack({},") + range + ")"),
              "-ERR user_script:1: too many results to unpack")
        << range;
  }
  EXPECT_EQ(Eval("return {unpack({1,2,3},2)}"), "*2\r\n:2\r\n:3\r\n");
  EXPECT_EQ(Eval("return {unpack({1,2,3},2^31-1,2^31-1)}"), "*0\r\n");
  EXPECT_EQ(Eval("return select('#',unpack({},1,7000))"), ":7000\r\n");
  EXPECT_EQ(Eval("return select('#',unpack({},3,1))"), ":0\r\n");
  EXPECT_EQ(Message("return unpack(1)"),
            "-ERR user_script:1: bad argument #1 to 'unpack' (table expected, got number)");
  EXPECT_EQ(Eval("return {bit.tohex(1),bit.tohex(-1),bit.tohex(-1,4),bit.tohex(0xABC,-2)}"),
            "*4\r\n$8\r\n00000001\r\n$8\r\nffffffff\r\n$4\r\nffff\r\n$2\r\nBC\r\n");
  EXPECT_EQ(Eval("return {bit.tohex(65535,-2147483648),bit.tohex(0xABC,2^31),bit.tohex(1,0)}"),
            "*3\r\n$8\r\n0000FFFF\r\n$8\r\n00000ABC\r\n$0\r\n\r\n");
}

TEST_F(ScriptTest, CjsonRefusesWhatItsBuffersCannotHold) {
  const std::string large = "local s=string.rep('a',2^20) local t={} ";
  const char* too_long = "-ERR user_script:1: Cannot serialise, text would be too long";
  EXPECT_EQ(Message(large + "for i=1,2100 do t[i]=s end return #cjson.encode(t)"), too_long);
  EXPECT_EQ(Message(large + "for i=1,2100 do t[i]=s end return #cjson.new().encode(t)"), too_long);
  EXPECT_EQ(Message(large + "for i=1,200 do t[s..i]=1 end return #cjson.encode(t)"), too_long);
  EXPECT_EQ(Eval(large + "for i=1,5 do t[i]=s end return #cjson.encode(t)"), ":5242896\r\n");
  // Elements that are not there have a text as well.
  EXPECT_EQ(Message("cjson.encode_sparse_array(true,0,0) return #cjson.encode({[430000000]=1})"),
            too_long);
  EXPECT_EQ(Eval("cjson.encode_sparse_array(true,0,0) return cjson.encode({[3]=1})"),
            "$13\r\n[null,null,1]\r\n");
  EXPECT_EQ(Eval("local c=cjson.new() c.encode_sparse_array(true) return c.encode({[2^30]=1})"),
            "$16\r\n{\"1073741824\":1}\r\n");
  EXPECT_EQ(Message("local c=cjson.new() return c.encode({[2^30]=1})"),
            "-ERR user_script:1: Cannot serialise table: excessively sparse array");
  // Where the deep one stands in the table does not matter.
  EXPECT_NE(Eval("local s=string.rep('\\1',10^8) local d={} for i=1,1001 do d={d} end local t={} "
                 "for i=7,1,-1 do t[i]=s end t[7]=d return cjson.encode(t)")
                .find("-ERR user_script:1: Cannot serialise, "),
            std::string::npos);
  // What the library refuses it refuses as before, with the place in front.
  const char* deep = "-ERR user_script:1: Cannot serialise, excessive nesting (1001)";
  EXPECT_EQ(Message("local t={} t[1]=t t[2]=t return cjson.encode(t)"), deep);
  EXPECT_EQ(Message("local t={} t[1]=t return cjson.new().encode(t)"), deep);
  EXPECT_EQ(Message("local t={} t[1]=t t[2]=t local c=cjson.new() c.encode_max_depth(9000) "
                    "return c.encode(t)"),
            "-ERR user_script:1: Cannot serialise, excessive nesting (3901)");
  EXPECT_EQ(Message("return cjson.encode()"),
            "-ERR user_script:1: bad argument #1 to 'encode' (expected 1 argument)");
  EXPECT_EQ(Message("return cjson.encode(function() end)"),
            "-ERR user_script:1: Cannot serialise function: type not supported");
  EXPECT_EQ(Message("return cjson.decode({})"),
            "-ERR user_script:1: bad argument #1 to 'decode' (string expected, got table)");
  EXPECT_EQ(Message("return cjson.decode('[1,')"),
            "-ERR user_script:1: Expected value but found T_END at character 4");
  EXPECT_EQ(Eval("return cjson.encode(cjson.decode('{\"a\":[1,2,{\"b\":null}]}'))"),
            "$22\r\n{\"a\":[1,2,{\"b\":null}]}\r\n");
}

TEST_F(ScriptTest, NothingIsLeftForTheNextScript) {
  Run({"EVAL", "KEYS[1]='x' ARGV.y=2 return 1", "1", "k"});
  EXPECT_EQ(Eval("return {#KEYS,ARGV.y == nil and 1 or 0}"), "*2\r\n:0\r\n:1\r\n");
  const size_t before = fixture_.scripting().scripts().vm_memory();
  for (int i = 0; i < 20000; ++i) Eval("return {KEYS, redis.call('incr','n')}");
  EXPECT_LT(fixture_.scripting().scripts().vm_memory(), before + 100'000);
}

TEST_F(ScriptTest, RandomNumbersFollowTheSeed) {
  EXPECT_EQ(Eval("math.randomseed(3) return {tostring(math.random()),tostring(math.random()),"
                 "math.random(10),math.random(5,9)}"),
            "*4\r\n$16\r\n0.78323496216127\r\n$16\r\n0.86367337352767\r\n:4\r\n:6\r\n");
  EXPECT_EQ(Message("math.random(0)"),
            "-ERR user_script:1: bad argument #1 to 'random' (interval is empty)");
}

}  // namespace
}  // namespace backplane
