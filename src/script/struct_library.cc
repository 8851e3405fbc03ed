// SPDX-License-Identifier: BSD-3-Clause
// The library struct: values to bytes and back by a format.
//
//   <  >      little and big endian from here on (little at the start)
//   !n        align to n bytes from here on (8 without n; 1 at the start); n is a power of 2
//   x         one byte of padding
//   b B h H l L T    signed and unsigned (capital) integers of 1, 2, 8 bytes; T: 8, unsigned
//   in In     integers of n bytes, 1 to 32 (4 without n)
//   f d       floats of 4 and 8 bytes
//   s         a string and a zero byte
//   cn        n bytes (1 without n); c0: the whole string; reading, as many as the number before
//   says
#include <algorithm>
#include <bit>
#include <cctype>
#include <climits>
#include <cstdint>
#include <cstring>

#include "script/lua_libraries.h"

namespace backplane {
namespace {

constexpr int kMaxAlign = 8;
constexpr int kIntegerBytesMax = 32;

struct Format {
  const char* at;
  bool big_endian = false;
  int align = 1;
};

struct Option {
  char code;
  size_t size;
  size_t padding;  // in front of it
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int Number(lua_State* lua, Format* format, int otherwise) {
  if (!IsDigit(*format->at)) return otherwise;
  int value = 0;
  for (; IsDigit(*format->at); ++format->at) {
    const int digit = *format->at - '0';
    if (value > INT_MAX / 10 || value * 10 > INT_MAX - digit) {
      luaL_error(lua, "integral size overflow");
    }
    value = value * 10 + digit;
  }
  return value;
}

size_t SizeOf(lua_State* lua, char code, Format* format) {
  switch (code) {
    case 'b':
    case 'B':
    case 'x':
      return 1;
    case 'h':
    case 'H':
      return sizeof(short);
    case 'l':
    case 'L':
      return sizeof(long);
    case 'T':
      return sizeof(size_t);
    case 'f':
      return sizeof(float);
    case 'd':
      return sizeof(double);
    case 'c':
      return static_cast<size_t>(Number(lua, format, 1));
    case 'i':
    case 'I': {
      const int size = Number(lua, format, sizeof(int));
      if (size > kIntegerBytesMax) {
        luaL_error(lua, "integral size %d is larger than limit of %d", size, kIntegerBytesMax);
      }
      return static_cast<size_t>(size);
    }
    default:
      return 0;
  }
}

void Control(lua_State* lua, char code, Format* format) {
  switch (code) {
    case ' ':
      return;
    case '>':
      format->big_endian = true;
      return;
    case '<':
      format->big_endian = false;
      return;
    case '!': {
      const int align = Number(lua, format, kMaxAlign);
      if (align <= 0 || !std::has_single_bit(static_cast<unsigned>(align))) {
        luaL_error(lua, "alignment %d is not a power of 2", align);
      }
      format->align = align;
      return;
    }
    default:
      luaL_argerror(lua, 1, lua_pushfstring(lua, "invalid format option '%c'", code));
  }
}

// The next option when `position` bytes stand before it.
Option Next(lua_State* lua, Format* format, size_t position) {
  const char code = *format->at++;
  const size_t size = SizeOf(lua, code, format);
  size_t padding = 0;
  if (size > 0 && code != 'c') {
    const size_t align = std::min(size, static_cast<size_t>(format->align));
    if (align > 1) padding = (align - (position & (align - 1))) & (align - 1);
  }
  return {code, size, padding};
}

bool IsIntegerCode(char code) { return std::strchr("bBhHlLTiI", code) != nullptr; }

// --- packing ---

void PackInteger(luaL_Buffer* out, const Format& format, size_t size, double number) {
  const auto value = number < 0 ? static_cast<uint64_t>(static_cast<int64_t>(number))
                                : static_cast<uint64_t>(number);
  for (size_t i = 0; i < size; ++i) {
    const size_t place = format.big_endian ? size - 1 - i : i;
    luaL_addchar(out, static_cast<char>(place < sizeof(value) ? value >> (place * 8) : 0));
  }
}

template <class T>
void PackFloat(luaL_Buffer* out, const Format& format, double number) {
  char bytes[sizeof(T)];
  const T value = static_cast<T>(number);
  std::memcpy(bytes, &value, sizeof(T));
  if (format.big_endian) std::reverse(bytes, bytes + sizeof(T));
  luaL_addlstring(out, bytes, sizeof(T));
}

// Returns how many bytes it added.
size_t PackText(lua_State* lua, luaL_Buffer* out, const Option& option, int arg) {
  size_t size;
  const char* text = luaL_checklstring(lua, arg, &size);
  if (option.code == 'c' && option.size > 0) {
    // Users know this message with the number of the argument behind it.
    luaL_argcheck(lua, size >= option.size, arg + 1, "string too short");
    size = option.size;
  }
  luaL_addlstring(out, text, size);
  if (option.code != 's') return size;
  luaL_addchar(out, '\0');
  return size + 1;
}

int Pack(lua_State* lua) {
  Format format{luaL_checkstring(lua, 1)};
  int arg = 2;
  size_t total = 0;
  lua_pushnil(lua);  // an argument that is missing is this one
  luaL_Buffer out;
  luaL_buffinit(lua, &out);
  while (*format.at != '\0') {
    const Option option = Next(lua, &format, total);
    for (size_t i = 0; i < option.padding; ++i) luaL_addchar(&out, '\0');
    total += option.padding;
    size_t added = option.size;
    if (IsIntegerCode(option.code)) {
      PackInteger(&out, format, option.size, luaL_checknumber(lua, arg++));
    } else if (option.code == 'x') {
      luaL_addchar(&out, '\0');
    } else if (option.code == 'f') {
      PackFloat<float>(&out, format, luaL_checknumber(lua, arg++));
    } else if (option.code == 'd') {
      PackFloat<double>(&out, format, luaL_checknumber(lua, arg++));
    } else if (option.code == 'c' || option.code == 's') {
      added = PackText(lua, &out, option, arg++);
    } else {
      Control(lua, option.code, &format);
    }
    total += added;
  }
  luaL_pushresult(&out);
  return 1;
}

// --- unpacking ---

double UnpackInteger(const char* data, const Format& format, size_t size, bool is_signed) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) {
    const size_t at = format.big_endian ? i : size - 1 - i;
    value = value << 8 | static_cast<unsigned char>(data[at]);
  }
  if (!is_signed) return static_cast<double>(value);
  if (size > 0 && size < sizeof(value)) {
    const uint64_t sign = uint64_t{1} << (size * 8 - 1);
    if ((value & sign) != 0) value |= ~uint64_t{0} << (size * 8 - 1);
  }
  return static_cast<double>(static_cast<int64_t>(value));
}

template <class T>
double UnpackFloat(const char* data, const Format& format) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, data, sizeof(T));
  if (format.big_endian) std::reverse(bytes, bytes + sizeof(T));
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return static_cast<double>(value);
}

// The size of 'c0': the number before it, which it takes away.
size_t PreviousSize(lua_State* lua, int* results) {
  if (*results == 0 || lua_isnumber(lua, -1) == 0) {
    luaL_error(lua, "format 'c0' needs a previous size");
  }
  const double size = lua_tonumber(lua, -1);
  lua_pop(lua, 1);
  --*results;
  return size >= 0 && size < 1e15 ? static_cast<size_t>(size) : SIZE_MAX;
}

void CheckRoom(lua_State* lua, size_t size, size_t position, size_t total) {
  luaL_argcheck(lua, size <= total && position <= total - size, 2, "data string too short");
}

int Unpack(lua_State* lua) {
  Format format{luaL_checkstring(lua, 1)};
  size_t total;
  const char* data = luaL_checklstring(lua, 2, &total);
  auto position = static_cast<size_t>(luaL_optinteger(lua, 3, 1));
  luaL_argcheck(lua, position > 0, 3, "offset must be 1 or greater");
  --position;
  int results = 0;
  lua_settop(lua, 2);
  while (*format.at != '\0') {
    Option option = Next(lua, &format, position);
    position += option.padding;
    CheckRoom(lua, option.size, position, total);
    luaL_checkstack(lua, 2, "too many results");
    const char* at = data + position;
    if (IsIntegerCode(option.code)) {
      const bool is_signed = std::islower(static_cast<unsigned char>(option.code)) != 0;
      lua_pushnumber(lua, UnpackInteger(at, format, option.size, is_signed));
      ++results;
    } else if (option.code == 'f' || option.code == 'd') {
      lua_pushnumber(lua, option.code == 'f' ? UnpackFloat<float>(at, format)
                                             : UnpackFloat<double>(at, format));
      ++results;
    } else if (option.code == 'c') {
      if (option.size == 0) option.size = PreviousSize(lua, &results);
      CheckRoom(lua, option.size, position, total);
      lua_pushlstring(lua, at, option.size);
      ++results;
    } else if (option.code == 's') {
      const void* end = std::memchr(at, '\0', total - position);
      if (end == nullptr) return luaL_error(lua, "unfinished string in data");
      const auto size = static_cast<size_t>(static_cast<const char*>(end) - at);
      lua_pushlstring(lua, at, size);
      option.size = size + 1;
      ++results;
    } else if (option.code != 'x') {
      Control(lua, option.code, &format);
    }
    position += option.size;
  }
  lua_pushnumber(lua, static_cast<lua_Number>(position + 1));
  return results + 1;
}

int Size(lua_State* lua) {
  Format format{luaL_checkstring(lua, 1)};
  size_t total = 0;
  while (*format.at != '\0') {
    const Option option = Next(lua, &format, total);
    total += option.padding + option.size;
    if (option.code == 's') {
      luaL_argerror(lua, 1, "option 's' has no fixed size");
    } else if (option.code == 'c' && option.size == 0) {
      luaL_argerror(lua, 1, "option 'c0' has no fixed size");
    }
    if (std::isalnum(static_cast<unsigned char>(option.code)) == 0) {
      Control(lua, option.code, &format);
    }
  }
  lua_pushnumber(lua, static_cast<lua_Number>(total));
  return 1;
}

}  // namespace

void PushStructLibrary(lua_State* lua) {
  constexpr luaL_Reg kFunctions[] = {
      {"pack", Pack}, {"unpack", Unpack}, {"size", Size}, {nullptr, nullptr}};
  lua_newtable(lua);
  luaL_register(lua, nullptr, kFunctions);
}

}  // namespace backplane
