// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleString: the string of the module ABI. Three forms:
//   view    an argument of the running call: points into the client's input, which is only read
//           until the call ends and is not followed by a zero byte
//   inline  bytes behind the header, one allocation: what modules create
//   heap    bytes in a block of their own, with room to grow: appended strings, long arguments
// A view is turned into one of the others (in place, same handle) by the first call that needs a
// terminated or a lasting string; ReplyWith, OpenKey, Call and the value functions take the view.
//
// The reference count is atomic although the ABI does not promise it: the price is paid only by
// strings that are shared, and modules do hand arguments to threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace backplane {
class StringPool;
}

struct RedisModuleString {
  enum class Storage : uint8_t { kView, kInline, kHeap };

  const char* data;
  size_t size;
  size_t capacity;  // bytes of a heap block, of the room behind the header else; the zero included
  std::atomic<uint32_t> refs;
  Storage storage;

  std::string_view view() const { return {data, size}; }
  char* room() { return reinterpret_cast<char*>(this + 1); }
};

namespace backplane {

using ModuleString = RedisModuleString;

// A new string with one reference and a copy of the bytes.
ModuleString* NewModuleString(std::string_view bytes);
// The same with unset bytes, to be written through const_cast of data. The terminator is there.
ModuleString* NewModuleStringOfSize(size_t size);
// Adds a reference and makes sure that the bytes last.
void RetainModuleString(ModuleString* string);
// Drops a reference.
void ReleaseModuleString(ModuleString* string);
// From now on the string has bytes of its own, with a zero behind them.
void OwnBytes(ModuleString* string);
// False when somebody else holds it too.
bool AppendToModuleString(ModuleString* string, std::string_view bytes);
// Memory that it takes.
size_t ModuleStringMemory(const ModuleString& string);

// Argument strings of running calls, reused. Under the host lock.
class StringPool {
 public:
  StringPool() = default;
  StringPool(const StringPool&) = delete;
  StringPool& operator=(const StringPool&) = delete;
  ~StringPool();

  // A view with one reference.
  ModuleString* Take(std::string_view bytes) {
    if (free_.empty()) return Make(bytes);
    ModuleString* string = free_.back();
    free_.pop_back();
    string->data = bytes.data();
    string->size = bytes.size();
    return string;
  }
  // Ends the call's reference: the object is reused unless somebody retained it.
  void Give(ModuleString* string);

 private:
  static constexpr size_t kKeptMax = 1024;
  static ModuleString* Make(std::string_view bytes);
  std::vector<ModuleString*> free_;
};

// The arguments of one call as modules get them, for the length of a scope.
class ArgumentStrings {
 public:
  ArgumentStrings(StringPool& pool, std::span<const std::string_view> args);
  ~ArgumentStrings();
  ArgumentStrings(const ArgumentStrings&) = delete;
  ArgumentStrings& operator=(const ArgumentStrings&) = delete;
  ModuleString** data() { return strings_; }
  int size() const { return static_cast<int>(count_); }

 private:
  static constexpr size_t kOnStack = 16;
  StringPool& pool_;
  size_t count_;
  ModuleString* on_stack_[kOnStack];
  std::vector<ModuleString*> many_;
  ModuleString** strings_;
};

}  // namespace backplane
