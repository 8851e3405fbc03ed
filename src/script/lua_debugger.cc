// SPDX-License-Identifier: BSD-3-Clause
// The debugger's stops and commands. Its answers are those that redis-cli --ldb knows.
#include "script/lua_debugger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/numbers.h"
#include "script/debug_text.h"

namespace backplane {
namespace {

constexpr size_t kBreakpointsMax = 64;
constexpr size_t kLengthMin = 60;
constexpr char kUnknown[] =
    "<error> Unknown Redis Lua debugger command or wrong number of arguments.";
// Of a code that is longer than the stack may become.
constexpr size_t kWordsMax = 1000;

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

bool OfScript(const lua_Debug& where) {
  return std::strcmp(where.source, LuaDebugger::kChunkName) == 0;
}

// What lua_getlocal gives a name in brackets is no variable of the script, but for loops' own.
bool IsVariable(const char* name) { return std::strcmp(name, "(*temporary)") != 0; }

std::string Join(const std::vector<std::string>& words, size_t first) {
  std::string text;
  for (size_t i = first; i < words.size(); ++i) {
    if (i > first) text += ' ';
    text += words[i];
  }
  return text;
}

}  // namespace

LuaDebugger::LuaDebugger(std::string_view source, DebugChannel* channel, int64_t patience_ms)
    : channel_(*channel), lines_(SplitLines(source)), patience_ms_(patience_ms) {}

// --- stops ---

const char* LuaDebugger::OnHook(lua_State* lua, lua_Debug* where) {
  lua_getinfo(lua, "Sl", where);
  if (!OfScript(*where)) return nullptr;
  current_ = where->currentline;
  const char* reason = "step over";
  if (where->event == LUA_HOOKCOUNT) {
    const int64_t waited_ms = (MonotonicNanos() - resumed_nanos_) / 1'000'000;
    if (patience_ms_ == 0 || stepping_ || waited_ms < patience_ms_) return nullptr;
    reason = "timeout reached, infinite loop?";
  } else if (breakpoints_.contains(current_)) {
    reason = "break point";
  } else if (stop_asked_) {
    reason = "redis.breakpoint() called";
  } else if (!stepping_) {
    return nullptr;
  }
  stepping_ = false;
  stop_asked_ = false;
  channel_.Log(fmt::format("* Stopped at {}, stop reason = {}", current_, reason));
  LogLine(current_);
  channel_.Send();
  const char* end = Converse(lua);
  resumed_nanos_ = MonotonicNanos();
  return end;
}

const char* LuaDebugger::Converse(lua_State* lua) {
  for (;;) {
    const auto words = channel_.Read();
    if (!words) {
      return words.error().code == ErrorCode::kCorrupt ? "ERR protocol error"
             : words.error().code == ErrorCode::kBusy  ? "ERR the server is about to end"
                                                       : "ERR the client of the debugger has gone";
    }
    switch (Do(lua, *words)) {
      case Next::kGo:
        return nullptr;
      case Next::kAbort:
        return "ERR script aborted for user request";
      case Next::kStay:
        channel_.Send();
    }
  }
}

LuaDebugger::Next LuaDebugger::Do(lua_State* lua, const Words& words) {
  const auto is = [&](std::string_view name) {
    const std::string word = ToLower(words[0]);
    return word == name || word == name.substr(0, 1);
  };
  if (is("step") || is("next")) {
    stepping_ = true;
    return Next::kGo;
  }
  if (is("continue")) return Next::kGo;
  if (is("abort")) return Next::kAbort;
  if (is("help")) {
    Help();
  } else if (is("list")) {
    ListAs(words);
  } else if (is("whole")) {
    List(1, static_cast<int64_t>(lines_.size()));
  } else if (is("print")) {
    words.size() == 2 ? PrintOne(lua, words[1]) : PrintAll(lua);
  } else if (is("break")) {
    Breakpoints(words);
  } else if (is("trace")) {
    Trace(lua);
  } else if (is("eval")) {
    Evaluate(lua, words);
  } else if (is("redis") && words.size() > 1 && words.size() <= kWordsMax) {
    CallRedis(lua, words);
  } else if (is("maxlen")) {
    SetLengthMax(words);
  } else {
    channel_.Log(kUnknown);
  }
  return Next::kStay;
}

void LuaDebugger::End() {
  channel_.Log("<endsession>");
  channel_.Send();
}

// --- what the script does ---

void LuaDebugger::OnCall(std::span<const std::string_view> args) {
  if (!stepping_) return;
  std::string line = "<redis>";
  for (const std::string_view arg : args) {
    line += ' ';
    line += arg;
  }
  channel_.Log(std::move(line));
}

void LuaDebugger::OnReply(const ReplyTape& tape, int resp) {
  if (stepping_) LogValue("<reply> " + ReplyText(tape, resp));
}

void LuaDebugger::OnRefusal(std::string_view refusal) {
  if (!stepping_) return;
  if (refusal.starts_with("ERR ")) refusal.remove_prefix(4);
  channel_.Log("<error> " + std::string(refusal));
}

void LuaDebugger::Say(lua_State* lua) {
  std::string line = fmt::format("<debug> line {}: ", current_);
  const int count = lua_gettop(lua);
  for (int i = 1; i <= count; ++i) {
    if (i > 1) line += ", ";
    line += LuaValueText(lua, i);
  }
  LogValue(std::move(line));
}

// --- source and breakpoints ---

void LuaDebugger::LogLine(int64_t line) {
  const bool exists = line >= 1 && line <= static_cast<int64_t>(lines_.size());
  const bool is_break = breakpoints_.contains(line);
  const char* mark = line == current_ ? (is_break ? "->#" : "-> ") : (is_break ? "  #" : "   ");
  channel_.Log(fmt::format(
      "{}{:<3} {}", mark, line,
      exists ? lines_[static_cast<size_t>(line) - 1] : "<out of range source code line>"));
}

void LuaDebugger::List(int64_t around, int64_t context) {
  const auto last = static_cast<int64_t>(lines_.size());
  if (around > last) return;
  const int64_t begin = around > context ? around - context : 1;
  const int64_t end = context < last - around ? around + context : last;
  for (int64_t line = begin; line <= end; ++line) LogLine(line);
}

void LuaDebugger::ListAs(const Words& words) {
  constexpr int64_t kContext = 5;
  const auto number = [&](size_t i) {
    return i < words.size() ? ParseInt64(words[i]) : std::nullopt;
  };
  const int64_t around = number(1).value_or(0);
  const int64_t context = number(2).value_or(kContext);
  List(around > 0 ? around : current_, std::max<int64_t>(context, 0));
}

void LuaDebugger::Breakpoints(const Words& words) {
  for (size_t i = 1; i < words.size(); ++i) ChangeBreakpoint(words[i]);
  if (words.size() > 1) return;
  if (breakpoints_.empty()) {
    channel_.Log("No breakpoints set. Use 'b <line>' to add one.");
    return;
  }
  channel_.Log(fmt::format("{} breakpoints set:", breakpoints_.size()));
  for (const int64_t line : breakpoints_) LogLine(line);
}

void LuaDebugger::ChangeBreakpoint(const std::string& word) {
  const auto line = ParseInt64(word);
  if (!line) {
    channel_.Log("Invalid argument:'" + word + "'");
  } else if (*line == 0) {
    breakpoints_.clear();
    channel_.Log("All breakpoints removed.");
  } else if (*line < 0) {
    // The smallest number has no negative, and no line either.
    const bool removed = *line != INT64_MIN && breakpoints_.erase(-*line) > 0;
    channel_.Log(removed ? "Breakpoint removed." : "No breakpoint in the specified line.");
  } else if (*line > static_cast<int64_t>(lines_.size())) {
    channel_.Log("Wrong line number.");
  } else if (breakpoints_.size() >= kBreakpointsMax && !breakpoints_.contains(*line)) {
    channel_.Log("Too many breakpoints set.");
  } else {
    breakpoints_.insert(*line);
    List(*line, 1);
  }
}

// --- values ---

void LuaDebugger::LogValue(std::string text) {
  const bool cut = length_max_ != 0 && text.size() > length_max_;
  if (cut) {
    text.resize(length_max_);
    text += " ...";
  }
  channel_.Log(std::move(text));
  if (!cut || hint_given_) return;
  hint_given_ = true;
  channel_.Log("<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.");
}

void LuaDebugger::SetLengthMax(const Words& words) {
  if (words.size() == 2) {
    const int64_t wanted = std::clamp<int64_t>(ParseInt64(words[1]).value_or(0), 0, INT32_MAX);
    length_max_ = wanted == 0 ? 0 : std::max(static_cast<size_t>(wanted), kLengthMin);
    hint_given_ = true;
  }
  channel_.Log(length_max_ == 0
                   ? std::string("<value> replies are unlimited.")
                   : fmt::format("<value> replies are truncated at {} bytes.", length_max_));
}

void LuaDebugger::PrintAll(lua_State* lua) {
  lua_Debug frame{};
  bool any = false;
  if (lua_getstack(lua, 0, &frame) != 0) {
    for (int i = 1;; ++i) {
      const char* name = lua_getlocal(lua, &frame, i);
      if (name == nullptr) break;
      if (IsVariable(name)) {
        LogValue(fmt::format("<value> {} = {}", name, LuaValueText(lua, -1)));
        any = true;
      }
      lua_pop(lua, 1);
    }
  }
  if (!any) channel_.Log("No local variables in the current context.");
}

// From the innermost function outwards; in each the variable that hides others of its name.
void LuaDebugger::PrintOne(lua_State* lua, const std::string& name) {
  lua_Debug frame{};
  for (int level = 0; lua_getstack(lua, level, &frame) != 0; ++level) {
    std::optional<std::string> found;
    for (int i = 1;; ++i) {
      const char* local = lua_getlocal(lua, &frame, i);
      if (local == nullptr) break;
      if (name == local && IsVariable(local)) found = LuaValueText(lua, -1);
      lua_pop(lua, 1);
    }
    if (found) return LogValue("<value> " + *found);
  }
  if (name != "KEYS" && name != "ARGV") return channel_.Log("No such variable.");
  lua_pushlstring(lua, name.data(), name.size());
  lua_rawget(lua, LUA_GLOBALSINDEX);
  LogValue("<value> " + LuaValueText(lua, -1));
  lua_pop(lua, 1);
}

void LuaDebugger::Trace(lua_State* lua) {
  lua_Debug frame{};
  for (int level = 0; lua_getstack(lua, level, &frame) != 0; ++level) {
    lua_getinfo(lua, "Snl", &frame);
    if (!OfScript(frame)) continue;
    const int64_t current = current_;
    if (level > 0) current_ = 0;  // not marked
    channel_.Log(fmt::format("{} {}:", level == 0 ? "In" : "From",
                             frame.name != nullptr ? frame.name : "top level"));
    LogLine(frame.currentline);
    current_ = current;
  }
}

void LuaDebugger::Evaluate(lua_State* lua, const Words& words) {
  const int top = lua_gettop(lua);
  const std::string code = Join(words, 1);
  // The blank keeps text from being taken for bytecode.
  const std::string forms[] = {"return " + code, " " + code};
  int outcome = LUA_ERRSYNTAX;
  for (const std::string& form : forms) {
    lua_settop(lua, top);
    outcome = luaL_loadbuffer(lua, form.data(), form.size(), "@ldb_eval");
    if (outcome == 0) break;
  }
  if (outcome == 0) outcome = lua_pcall(lua, 0, 1, 0);
  if (outcome == 0) {
    LogValue("<retval> " + LuaValueText(lua, -1));
  } else {
    const char* text = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : nullptr;
    channel_.Log("<error> " + (text != nullptr ? std::string(text) : LuaValueText(lua, -1)));
  }
  lua_settop(lua, top);
}

void LuaDebugger::CallRedis(lua_State* lua, const Words& words) {
  const int top = lua_gettop(lua);
  if (lua_checkstack(lua, static_cast<int>(words.size()) + 2) == 0) return channel_.Log(kUnknown);
  lua_pushliteral(lua, "redis");
  lua_rawget(lua, LUA_GLOBALSINDEX);
  lua_pushliteral(lua, "pcall");
  lua_rawget(lua, -2);
  for (size_t i = 1; i < words.size(); ++i) {
    lua_pushlstring(lua, words[i].data(), words[i].size());
  }
  // What it says of its call and reply is the answer.
  stepping_ = true;
  if (lua_pcall(lua, static_cast<int>(words.size()) - 1, 1, 0) != 0) {
    channel_.Log("<error> " + LuaValueText(lua, -1));
  }
  stepping_ = false;
  lua_settop(lua, top);
}

void LuaDebugger::Help() {
  constexpr const char* kLines[] = {
      "Redis Lua debugger help:",
      "[s]tep, [n]ext       Run the current line and stop again.",
      "[c]ontinue           Run until the next breakpoint.",
      "[a]bort              End the script. In sync mode what it has changed stays.",
      "[l]ist [line] [ctx]  Show the lines around line, ctx before and after it;",
      "                     without line, or with 0, around the current one.",
      "[w]hole              Show all lines.",
      "[p]rint [var]        Show a local variable, KEYS or ARGV; without var all locals.",
      "[b]reak              Show all breakpoints.",
      "[b]reak <line>...    Set breakpoints.",
      "[b]reak -<line>      Remove a breakpoint; 0 removes all.",
      "[t]race              Show the functions that are running.",
      "[e]val <code>        Run Lua code. It does not see the script's local variables.",
      "[r]edis <cmd>        Run a command.",
      "[m]axlen [len]       Cut what is shown after len bytes; 0 for no limit.",
      "[h]elp               Show this.",
      "",
      "In a script:",
      "redis.debug(...)     Shows values here.",
      "redis.breakpoint()   Stops at the next line."};
  for (const char* line : kLines) channel_.Log(line);
}

}  // namespace backplane
