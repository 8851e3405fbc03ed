// SPDX-License-Identifier: BSD-3-Clause
#include "script/debug_text.h"

#include <fmt/format.h>

#include <bit>

#include "base/numbers.h"
#include "base/quoting.h"

namespace backplane {
namespace {

constexpr int kDepthMax = 10;
// A table that holds itself several times would have a text without end.
constexpr size_t kTextMax = 256 * 1024;
constexpr char kTooDeep[] = "<max recursion level reached! Nested table?>";

void AppendValue(lua_State* lua, int index, int depth, std::string* out);

// Its keys are 1 to n, met in this order.
bool IsList(lua_State* lua, int index) {
  int expected = 1;
  bool list = true;
  lua_pushnil(lua);
  while (lua_next(lua, index) != 0) {
    lua_pop(lua, 1);
    list = list && lua_type(lua, -1) == LUA_TNUMBER && lua_tonumber(lua, -1) == expected;
    ++expected;
  }
  return list;
}

void AppendTable(lua_State* lua, int index, int depth, std::string* out) {
  const bool list = IsList(lua, index);
  bool first = true;
  *out += '{';
  lua_pushnil(lua);
  while (lua_next(lua, index) != 0) {
    const int value = lua_gettop(lua);
    if (!first) *out += "; ";
    first = false;
    if (!list) {
      *out += '[';
      AppendValue(lua, value - 1, depth + 1, out);
      *out += "]=";
    }
    AppendValue(lua, value, depth + 1, out);
    lua_settop(lua, value - 1);
    if (out->size() < kTextMax) continue;
    lua_settop(lua, value - 2);
    *out += "; ...";
    break;
  }
  *out += '}';
}

void AppendValue(lua_State* lua, int index, int depth, std::string* out) {
  constexpr int kSlots = 4;
  if (depth >= kDepthMax || lua_checkstack(lua, kSlots) == 0) {
    *out += kTooDeep;
    return;
  }
  switch (lua_type(lua, index)) {
    case LUA_TNIL:
      *out += "nil";
      return;
    case LUA_TBOOLEAN:
      *out += lua_toboolean(lua, index) != 0 ? "true" : "false";
      return;
    case LUA_TNUMBER:
      *out += fmt::format("{:.14g}", lua_tonumber(lua, index));
      return;
    case LUA_TSTRING: {
      size_t size = 0;
      const char* text = lua_tolstring(lua, index, &size);
      return AppendQuoted({text, size}, out);
    }
    case LUA_TTABLE:
      return AppendTable(lua, index, depth, out);
    default:
      *out += fmt::format("\"{}@{}\"", lua_typename(lua, lua_type(lua, index)),
                          lua_topointer(lua, index));
  }
}

class ReplyPrinter {
 public:
  ReplyPrinter(const ReplyTape& tape, int resp) : tape_(tape), resp3_(resp >= 3) {}

  std::string TakeText() { return std::move(text_); }
  // Returns the index behind the value.
  size_t Print(size_t index) {
    index = tape_.ValueIndex(index);
    const ReplyTape::Node& node = tape_.node(index);
    if (ReplyTape::IsAggregate(node.tag)) return PrintAggregate(index);
    PrintLeaf(node);
    return index + 1;
  }

 private:
  using Tag = ReplyTape::Tag;

  void PrintLeaf(const ReplyTape::Node& node) {
    switch (node.tag) {
      case Tag::kSimpleString:
      case Tag::kError:
        return AppendQuoted((node.tag == Tag::kError ? "-" : "+") + std::string(tape_.text(node)),
                            &text_);
      case Tag::kInteger:
        text_ += Int64ToString(static_cast<int64_t>(node.payload));
        return;
      case Tag::kNull:
      case Tag::kNullArray:
        text_ += resp3_ ? "(null)" : "NULL";
        return;
      case Tag::kBool:
        text_ += node.payload != 0 ? (resp3_ ? "#true" : "1") : (resp3_ ? "#false" : "0");
        return;
      case Tag::kDouble: {
        const std::string number = DoubleToString(std::bit_cast<double>(node.payload));
        if (resp3_) {
          text_ += "(double) " + number;
        } else {
          AppendQuoted(number, &text_);
        }
        return;
      }
      default:
        return AppendQuoted(tape_.text(node), &text_);
    }
  }

  size_t PrintAggregate(size_t index) {
    const ReplyTape::Node& node = tape_.node(index);
    const bool map = resp3_ && node.tag == Tag::kMap;
    const bool set = resp3_ && node.tag == Tag::kSet;
    text_ += map ? "{" : set ? "~(" : "[";
    size_t next = index + 1;
    const uint64_t count = ReplyTape::ChildCount(node);
    for (uint64_t i = 0; i < count; ++i) {
      if (i > 0) text_ += map && i % 2 == 1 ? " => " : ",";
      next = Print(next);
    }
    text_ += map ? "}" : set ? ")" : "]";
    return node.end;
  }

  const ReplyTape& tape_;
  bool resp3_;
  std::string text_;
};

}  // namespace

std::string LuaValueText(lua_State* lua, int index) {
  std::string text;
  const int top = lua_gettop(lua);
  AppendValue(lua, index < 0 && index > LUA_REGISTRYINDEX ? top + index + 1 : index, 0, &text);
  return text;
}

std::string ReplyText(const ReplyTape& tape, int resp) {
  ReplyPrinter printer(tape, resp);
  printer.Print(0);
  return printer.TakeText();
}

}  // namespace backplane
