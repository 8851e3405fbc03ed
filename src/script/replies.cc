// SPDX-License-Identifier: BSD-3-Clause
#include "script/replies.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>

#include "base/numbers.h"

namespace backplane {
namespace {

using Tag = ReplyTape::Tag;

class TapeReader {
 public:
  TapeReader(lua_State* lua, const ReplyTape& tape, int resp)
      : lua_(lua), tape_(tape), resp3_(resp == 3) {}

  // Pushes the value at *index and moves on behind it. What Lua's stack cannot hold is nil.
  void Push(size_t* index) {
    const size_t at = tape_.ValueIndex(*index);
    const ReplyTape::Node& node = tape_.node(at);
    *index = node.end;
    if (node.tag == Tag::kBulk) [[likely]]
      return Text(tape_.text(node));
    if (lua_checkstack(lua_, 5) == 0) return lua_pushnil(lua_);
    if (ReplyTape::IsAggregate(node.tag)) return Aggregate(node, at + 1);
    Leaf(node);
  }

 private:
  void Text(std::string_view text) { lua_pushlstring(lua_, text.data(), text.size()); }
  void Number(double value) { lua_pushnumber(lua_, value); }
  // Takes the value on top into a new table's field.
  void Wrap(const char* field) {
    lua_createtable(lua_, 0, 1);
    lua_insert(lua_, -2);
    lua_setfield(lua_, -2, field);
  }

  void Leaf(const ReplyTape::Node& node) {
    switch (node.tag) {
      case Tag::kSimpleString:
        Text(tape_.text(node));
        return Wrap("ok");
      case Tag::kError:
        return PushError(lua_, tape_.text(node), true);
      case Tag::kInteger:
        return Number(static_cast<double>(static_cast<int64_t>(node.payload)));
      case Tag::kNull:
      case Tag::kNullArray:
        return resp3_ ? lua_pushnil(lua_) : lua_pushboolean(lua_, 0);
      case Tag::kDouble:
        return Double(std::bit_cast<double>(node.payload));
      case Tag::kBool:
        return resp3_ ? lua_pushboolean(lua_, node.payload != 0)
                      : Number(node.payload != 0 ? 1 : 0);
      case Tag::kBigNumber:
        Text(tape_.text(node));
        return resp3_ ? Wrap("big_number") : void();
      case Tag::kVerbatim:
        return Verbatim(tape_.text(node));
      default:
        return Text(tape_.text(node));
    }
  }

  void Double(double value) {
    if (resp3_) {
      Number(value);
      return Wrap("double");
    }
    char text[kNumberTextMax];
    Text({text, DoubleToText(value, text)});
  }

  // "txt:text"
  void Verbatim(std::string_view text) {
    constexpr size_t kFormat = 3;
    if (!resp3_) return Text(text.substr(kFormat + 1));
    lua_createtable(lua_, 0, 2);
    Text(text.substr(0, kFormat));
    lua_setfield(lua_, -2, "format");
    Text(text.substr(kFormat + 1));
    lua_setfield(lua_, -2, "string");
    Wrap("verbatim_string");
  }

  void Aggregate(const ReplyTape::Node& node, size_t index) {
    const uint64_t count = ReplyTape::ChildCount(node);
    if (resp3_ && node.tag == Tag::kMap) {
      lua_createtable(lua_, 0, static_cast<int>(node.length));
      for (uint64_t i = 0; i < node.length; ++i) Pair(&index, false);
      return Wrap("map");
    }
    if (resp3_ && node.tag == Tag::kSet) {
      lua_createtable(lua_, 0, static_cast<int>(count));
      for (uint64_t i = 0; i < count; ++i) Pair(&index, true);
      return Wrap("set");
    }
    lua_createtable(lua_, static_cast<int>(count), 0);
    for (uint64_t i = 1; i <= count; ++i) {
      Push(&index);
      lua_rawseti(lua_, -2, static_cast<int>(i));
    }
  }

  // A key with its value, or with true, into the table on top.
  void Pair(size_t* index, bool member) {
    Push(index);
    if (member) {
      lua_pushboolean(lua_, 1);
    } else {
      Push(index);
    }
    // What cannot be a key is left out.
    const bool is_nan = lua_type(lua_, -2) == LUA_TNUMBER && std::isnan(lua_tonumber(lua_, -2));
    if (lua_isnil(lua_, -2) || is_nan) return lua_pop(lua_, 2);
    lua_rawset(lua_, -3);
  }

  lua_State* lua_;
  const ReplyTape& tape_;
  bool resp3_;
};

// A double as an integer, as the processor converts: what does not fit is the smallest.
int64_t ToInteger(double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (value >= -kLimit && value < kLimit) return static_cast<int64_t>(value);
  return INT64_MIN;
}

class ReplyWriter {
 public:
  ReplyWriter(lua_State* lua, ReplySink& sink, int resp)
      : lua_(lua), sink_(sink), resp3_(resp == 3) {}

  void Write() {
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING:
        sink_.Bulk(Text());
        break;
      case LUA_TNUMBER:
        sink_.Integer(ToInteger(lua_tonumber(lua_, -1)));
        break;
      case LUA_TBOOLEAN:
        Boolean(lua_toboolean(lua_, -1) != 0);
        break;
      case LUA_TTABLE:
        // A table that contains itself has no end, and each level takes of the C stack, too.
        if (depth_ >= kDepthMax || lua_checkstack(lua_, 6) == 0) {
          sink_.Error("ERR reached lua stack limit");
          break;
        }
        ++depth_;
        if (!Tagged()) Array();
        --depth_;
        break;
      default:
        sink_.Null();
    }
    lua_pop(lua_, 1);
  }

 private:
  std::string_view Text() {
    size_t size;
    const char* text = lua_tolstring(lua_, -1, &size);
    return {text, size};
  }
  // Text that must stay on its line.
  // Statuses and errors are text, which ends at a NUL.
  static std::string OneLine(std::string_view text) {
    std::string line(text.substr(0, text.find('\0')));
    for (char& c : line) {
      if (c == '\r' || c == '\n') c = ' ';
    }
    return line;
  }

  void Boolean(bool value) {
    if (resp3_) return sink_.Bool(value);
    if (value) return sink_.Integer(1);
    sink_.Null();
  }

  // Pushes the table's own field; true when it is of that type, else the field is gone.
  bool Field(const char* name, size_t size, int type) {
    lua_pushlstring(lua_, name, size);
    lua_rawget(lua_, -2);
    if (lua_type(lua_, -1) == type) return true;
    lua_pop(lua_, 1);
    return false;
  }
  template <size_t N>
  bool Field(const char (&name)[N], int type) {
    return Field(name, N - 1, type);
  }

  // The table on top, when a field of it says that it is no array.
  bool Tagged() {
    if (Field("err", LUA_TSTRING)) {
      sink_.Error(OneLine(Text()));
    } else if (Field("ok", LUA_TSTRING)) {
      sink_.SimpleString(OneLine(Text()));
    } else if (Field("double", LUA_TNUMBER)) {
      sink_.Double(lua_tonumber(lua_, -1));
    } else if (Field("map", LUA_TTABLE)) {
      Pairs(AggregateKind::kMap);
    } else if (Field("set", LUA_TTABLE)) {
      Pairs(AggregateKind::kSet);
    } else if (Field("big_number", LUA_TSTRING)) {
      sink_.BigNumber(OneLine(Text()));
    } else if (Field("verbatim_string", LUA_TTABLE)) {
      return Verbatim();
    } else {
      return false;
    }
    lua_pop(lua_, 1);
    return true;
  }

  bool Verbatim() {
    bool written = false;
    if (Field("string", LUA_TSTRING)) {
      const std::string_view text = Text();
      lua_pushvalue(lua_, -2);
      if (Field("format", LUA_TSTRING)) {
        std::string format = OneLine(Text());
        format.resize(3, ' ');
        sink_.Verbatim(format, text);
        written = true;
        lua_pop(lua_, 1);
      }
      lua_pop(lua_, 2);
    }
    lua_pop(lua_, 1);
    return written;
  }

  void Pairs(AggregateKind kind) {
    const ReplySink::Deferred open = sink_.BeginDeferred(kind);
    uint64_t count = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      lua_pushvalue(lua_, -2);
      Write();
      if (kind == AggregateKind::kMap) {
        Write();
      } else {
        lua_pop(lua_, 1);
      }
      ++count;
    }
    sink_.EndDeferred(open, count);
  }

  void Array() {
    int count = 0;
    for (;;) {
      lua_rawgeti(lua_, -1, count + 1);
      const bool end = lua_isnil(lua_, -1);
      lua_pop(lua_, 1);
      if (end) break;
      ++count;
    }
    sink_.BeginArray(static_cast<uint64_t>(count));
    for (int i = 1; i <= count; ++i) {
      lua_rawgeti(lua_, -1, i);
      Write();
    }
  }

  static constexpr int kDepthMax = 1000;

  lua_State* lua_;
  ReplySink& sink_;
  bool resp3_;
  int depth_ = 0;
};

}  // namespace

void PushReply(lua_State* lua, const ReplyTape& tape, int resp) {
  size_t index = 0;
  TapeReader(lua, tape, resp).Push(&index);
}

void PushError(lua_State* lua, std::string_view text, bool counted) {
  lua_createtable(lua, 0, 2);
  lua_pushlstring(lua, text.data(), text.size());
  lua_setfield(lua, -2, "err");
  if (!counted) return;
  lua_pushboolean(lua, 1);
  lua_setfield(lua, -2, kErrorIsCounted);
}

void WriteReply(lua_State* lua, ReplySink& sink, int resp) { ReplyWriter(lua, sink, resp).Write(); }

}  // namespace backplane
